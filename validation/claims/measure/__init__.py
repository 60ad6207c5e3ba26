"""Claims on order, basins and spikes of trained networks."""

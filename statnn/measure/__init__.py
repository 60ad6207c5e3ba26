"""Questions to ask of a network, or of activity recorded elsewhere."""

from statnn.measure import basins, correlation, graph, growth, order, spikes, tangent

__all__ = ["basins", "correlation", "graph", "growth", "order", "spikes", "tangent"]

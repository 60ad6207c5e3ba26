"""Claims on activation processes and the counts of trained networks."""

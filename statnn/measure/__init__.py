"""Questions asked of a network of one's own, or of activity recorded elsewhere."""

from statnn.measure import basins, correlation, graph, growth, order, spikes, tangent

__all__ = ["basins", "correlation", "graph", "growth", "order", "spikes", "tangent"]

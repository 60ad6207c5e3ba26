"""Questions asked of a network of one's own, or of activity recorded elsewhere."""

from statnn.measure import basins, order, spikes

__all__ = ["basins", "order", "spikes"]

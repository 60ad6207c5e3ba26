"""Questions asked of a network of one's own, or of activity recorded elsewhere."""

from statnn.measure import order, spikes

__all__ = ["order", "spikes"]

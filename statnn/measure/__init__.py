"""Questions asked of a network of one's own, or of activity recorded elsewhere."""

from statnn.measure import order

__all__ = ["order"]

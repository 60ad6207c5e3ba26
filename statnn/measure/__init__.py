"""Questions asked of a network of one's own, or of activity recorded elsewhere."""

__all__: list[str] = []

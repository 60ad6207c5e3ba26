"""Helpers shared by tests of models."""

ALL = ("neurons", "weights", "biases")


def coupled(graph):
    """Pairs of nodes with an edge."""
    return {frozenset(edge) for edge in graph.edges}

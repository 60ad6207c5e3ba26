"""Renormalisation over repeated layers: depth is scale, and composing layers is the renormalisation group.

arXiv 2410.00396 names the idea; its formulas are not at hand, so the constructions here are our own [own].
"""

__all__: list[str] = []

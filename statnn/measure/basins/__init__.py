r"""Attraction basins: how much noise on samples or on weights a classification survives.

The radius σ* of a sample is the noise amplitude at which the chance that its class is unchanged falls below a
threshold. Basins in both spaces are notions of arXiv 2501.02436 [paper]; the normalisation of weight noise, how σ* is
found, and its error are our own [own].
"""

from statnn.measure.basins._measure import Basin, sample_basin, weight_basin

__all__ = [
    "Basin",
    "sample_basin",
    "weight_basin",
]

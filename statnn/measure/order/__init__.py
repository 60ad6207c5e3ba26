"""Order: which transformations keep the ranks of samples, and how the ranks of a class build up through layers.

Order-preserving and non-order-preserving units, the rank probability distribution (RPD) and the linear substitution
map (L-map) are notions of arXiv 2501.02436 [paper]; how they are measured here, and every error, is our own [own].
A layer is an entry of ``net.weights``: layer 0 holds the units that see the inputs.
"""

from statnn.measure.order._l_map import l_map, l_map_accuracy
from statnn.measure.order._pairs import PairOrder, group_order, unit_order
from statnn.measure.order._ranks import RankProbability, pooled_ranks, rank_probability

__all__ = [
    "PairOrder",
    "RankProbability",
    "group_order",
    "l_map",
    "l_map_accuracy",
    "pooled_ranks",
    "rank_probability",
    "unit_order",
]

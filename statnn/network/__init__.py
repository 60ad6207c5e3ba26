"""Networks: weights, biases, one activation per layer and batch normalisation where there is one, all immutable."""

from statnn.network._activation import ACTIVATIONS, Activation, leaky_relu
from statnn.network._network import Network, Trace
from statnn.network._normalisation import BatchNorm

__all__ = ["ACTIVATIONS", "Activation", "BatchNorm", "Network", "Trace", "leaky_relu"]

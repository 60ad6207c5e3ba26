"""Networks: weights, biases and one activation a layer, as immutable objects."""

from statnn.network._activation import ACTIVATIONS, Activation, leaky_relu
from statnn.network._network import Network, Trace

__all__ = ["ACTIVATIONS", "Activation", "Network", "Trace", "leaky_relu"]

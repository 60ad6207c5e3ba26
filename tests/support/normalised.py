"""What hypothesis draws of networks with batch normalisation."""

import hypothesis.extra.numpy as arrays_of
import numpy as np
from hypothesis import strategies as st
from models import networks

from statnn.network import BatchNorm, Network


@st.composite
def norms(draw, units, dtype=np.float64):
    numbers = st.floats(-2, 2, width=32)
    mean, gamma, beta = (draw(arrays_of.arrays(dtype, units, elements=numbers)) for _ in range(3))
    variance = draw(arrays_of.arrays(dtype, units, elements=st.floats(0, 4, width=32)))
    return BatchNorm(mean, variance, gamma, beta, draw(st.sampled_from([1e-5, 1e-3, 1.0])))


@st.composite
def normalised(draw, **options):
    """A network with a normalisation in some of its layers."""
    net = draw(networks(**options))
    chosen = [draw(st.none() | norms(n, net.dtype)) for n in net.widths[1:]]
    return Network(net.weights, net.biases, net.activations, normalisations=chosen)

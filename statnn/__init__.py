r"""Statistical physics of neural networks: exact laws, simulation and real networks, side by side.

Nouns and verbs, by room
------------------------
``statnn.activation``
    Which neurons have ever worked after D samples: ``BetaBernoulli``, ``PolyaUrn``, ``GammaPoisson``
    (exact laws, ``simulate``, ``plot``), ``checkpoints``, ``fit``, ``compare``, ``rarefaction``.
``statnn.network``
    ``Network`` (also ``statnn.Network``: weights, biases, activations; ``random``, ``repeated``, ``trace``),
    ``BatchNorm``, ``Activation``, ``ACTIVATIONS``, ``leaky_relu``.
``statnn.interaction``
    Networks as Hamiltonians on graphs: ``BinaryNeurons``, ``DynamicNeurons`` (``energy``, ``exact``, ``graph``,
    ``plot``), ``translation_symmetry``; ``square_lattice``, and its exact solutions ``kaufman`` and ``onsager``.
``statnn.montecarlo``
    ``sample`` makes a ``Run`` of chains (``estimate``, ``extend``, ``plot``).
``statnn.rg``
    Renormalisation over repeated layers: ``LinearLayer``, ``BinaryLayer``, ``NoisyLayer``, ``RepeatedLayer``,
    ``RandomLayer`` (``compose``, ``power``, ``correlation_length``), ``flow``, ``fixed_points``, ``exponents``;
    ``phase_diagram``, ``critical_line``, ``transition``, ``criticality`` of random layers; ``decimate``,
    ``block_spins``, ``sample_flow`` for configurations; ``place`` for networks.
``statnn.measure``
    Trained networks under the microscope: ``spikes`` (``statistics``, ``Accumulator``), ``growth``
    (``layers``), ``graph`` (``strength``, ``node_strength``, ``layer_fluctuation``); ``order`` (``rank_probability``,
    ``l_map``, ``unit_order``), ``basins`` (``sample_basin``, ``weight_basin``), ``correlation``, ``tangent``.
``statnn.io``
    ``load_network`` and ``save_network``; ``save``, ``load``, ``table`` and ``describe`` for results.
``statnn.sweep``
    A function of your own at every point of a grid, with a store.
``statnn.inspection``
    ``inspect`` asks all this of one network and its data and writes one page; also ``python -m statnn inspect``.
``statnn.plot``
    The house style of figures, and ``save`` (SVG, PDF, PNG and the data behind them).
``statnn.testing``
    Tests for objects and formulas of your own: ``assert_mean``, ``assert_law`` and their like, which share a budget of
    false alarms that a plugin of pytest keeps; ``statistics``; ``rejects``; ``strategies`` for hypothesis.
``statnn.theory``
    Symbolic derivations of the formulas; ``python -m statnn.theory`` checks and prints them. Needs sympy.

Symbols
-------
========  ==========================================================================================
N         number of neurons
D         number of samples; n = cD activation events
D_i       number of samples (events) that activated neuron i
b         constant of the stable activation probability hypothesis, p_i = c(D_i+b)/(cD+bN)
c         mean number of active neurons per sample
a         bN/c, the total weight of one neuron's urn
K(D)      number of working neurons, D_i >= 1
S(D)      P(D_i = 0), also the noise-to-signal ratio (N-K)/N
M(D)      missing mass, the probability that the next activation is by a silent neuron
q         cD/(cD+bN)
α, k_c    exponent 1-b and cut-off of the count law P(D_i = k), -1/ln q of many neurons
W, b      weights and biases of a layer (b of a network; the constant above of an activation process)
σ, h      activation function; values of the neurons, h^(m+1) = σ(W^(m) h^(m) + b^(m)), m = 0 ... M-1
J, h, T   couplings, fields and temperature of binary neurons (h of spins; values of the neurons above)
E         energy; p ∝ exp(-E/T), or exp(-βH) for dynamic neurons
β, λ      weight of the targets, and stiffness: each layer adds Gaussian noise of variance 1/(2λ)
σ_w, σ_b  standard deviations of weights, times the root of the fan-in, and of biases
τ         integrated autocorrelation time, in draws
r, F      firing rate and Fano factor Var n/⟨n⟩ of a unit, n its spikes in a window of T samples
K, h      coupling and field of layers of one spin, divided by the temperature
S, ε      covariance, and standard deviation, of the noise that a layer adds
ξ         correlation length, in layers: what is known of a signal decays as exp(-m/ξ)
q, c, χ   variance and correlation of the fields of wide random layers; factor of small squared distances per layer
λ, y, ν   eigenvalue of a renormalisation by b layers, exponents y = ln|λ|/ln b and ν = 1/y of what drives criticality
r, s, π   rank of a sample in the fields of a unit, in (0, 1); slope of the law of ranks of a class; share of the class
σ*        radius of an attraction basin: noise at which the chance of an unchanged class falls below a threshold
Θ         neural tangent kernel
========  ==========================================================================================

Everything is dimensionless. ``rng`` is an int, a ``numpy.random.Generator`` or None (fresh entropy).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statnn import activation, inspection, interaction, io, measure, montecarlo, network, plot, rg, testing, theory
    from statnn._sweep import sweep
    from statnn.network import Network

__all__ = [
    "Network",
    "activation",
    "inspection",
    "interaction",
    "io",
    "measure",
    "montecarlo",
    "network",
    "plot",
    "rg",
    "sweep",
    "testing",
    "theory",
]


def __getattr__(name: str) -> Any:
    """Load a room when it is entered, so that ``import statnn`` costs nothing."""
    if name == "Network":
        return importlib.import_module("statnn.network").Network
    if name == "sweep":
        return importlib.import_module("statnn._sweep").sweep
    if name in __all__:
        return importlib.import_module(f"statnn.{name}")
    if name == "__version__":
        from statnn._archive.provenance import version

        return version()
    raise AttributeError(f"statnn has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

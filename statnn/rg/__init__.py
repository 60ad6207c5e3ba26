r"""Renormalisation over repeated layers: depth is scale, and composing layers is the renormalisation group.

arXiv 2410.00396 names the idea; its formulas were not available, so the constructions here are our own [own].

A layer is a law p(h'|h). Layers compose by the Chapman-Kolmogorov equation, p(h''|h) = ∫ p(h''|h') p(h'|h) dh'. This is
associative, so b layers are one layer again: in ``first.compose(second)`` the layer on the left acts first, and
``layer.power(m)`` is m layers in O(log m) compositions.

====================  ==================================================================  ==============================
layer                 law                                                                 closed under composition
====================  ==================================================================  ==============================
`LinearLayer`         h' = Wh + b + N(0, S)                                               always
`BinaryLayer`         weights exp(s'·J s + f·s' + g·s) of spins s, s'                     width 1 and copies of it, else
                                                                                          a `TransferMatrix`
`NoisyLayer`          h' = σ(wh + b) + ε N(0, 1)                                          no: a `TransferOperator`
`RepeatedLayer`       h' = σ(wh + b), without noise                                       no: a `RenormalisedLayer`
`RandomLayer`         h' = Wφ(h) + b, W and b random, width n → ∞: maps of (q, c)         no: a `RandomStack`
====================  ==================================================================  ==============================

`flow` gives the trajectory of couplings under doubling, `fixed_points` its rest points, `exponents` how it leaves them.

`decimate`, `block_spins` and `block_means` coarse-grain configurations, recorded or sampled. `sample_flow` and
`linearise` find eigenvalues of the flow from correlations of `operators`, and `critical_coupling` finds its fixed
point.

The names are also grouped: `statnn.rg.repeated` has those of one scalar layer repeated, `statnn.rg.wide` those of wide
random layers, and `statnn.rg.lattice` those of blocks and lattices.
"""

from statnn.rg._collapse import Collapse, collapse
from statnn.rg._fixed_points import Exponents, FixedPoint, FixedPointEnd, NoFixedPointError, exponents, fixed_points
from statnn.rg._flow import Flow, FlowEnd, flow
from statnn.rg._layers.binary import BinaryLayer, TransferMatrix
from statnn.rg._layers.linear import Gaussian, LinearLayer, Regime
from statnn.rg._layers.nearest import Truncation
from statnn.rg._layers.noisy import NoisyLayer
from statnn.rg._layers.operator import StationaryLaw, TransferOperator
from statnn.rg._layers.spectrum import Spectrum
from statnn.rg.lattice._blocking import block_means, block_spins, decimate
from statnn.rg.lattice._linearised import LinearisedFlow
from statnn.rg.lattice._matching import CriticalCoupling, critical_coupling
from statnn.rg.lattice._monte_carlo import linearise, sample_flow
from statnn.rg.lattice._operators import Operator, operators
from statnn.rg.repeated._fixed_function import FixedFunction
from statnn.rg.repeated._layer import RepeatedLayer
from statnn.rg.repeated._leading_form import LeadingForm, LeadingFormKind
from statnn.rg.repeated._renormalised import RenormalisedLayer, renormalise
from statnn.rg.repeated._scaling_field import ScalingField, ScalingFieldKind
from statnn.rg.wide._criticality import Criticality, CriticalityKind, criticality
from statnn.rg.wide._decay import Decay, DecayEnd
from statnn.rg.wide._finite_width import FiniteWidth, Signals
from statnn.rg.wide._layer import RandomLayer
from statnn.rg.wide._mean_field import MeanField
from statnn.rg.wide._phase_diagram import PhaseDiagram, phase_diagram
from statnn.rg.wide._phase_transition import NoCriticalLineError, Transition, TransitionKind, critical_line, transition
from statnn.rg.wide._placement import LayerPlace, Placement, place
from statnn.rg.wide._solve import Phase, VarianceEnd
from statnn.rg.wide._stack import RandomStack

__all__ = [
    "BinaryLayer",
    "Collapse",
    "CriticalCoupling",
    "Criticality",
    "CriticalityKind",
    "Decay",
    "DecayEnd",
    "Exponents",
    "FiniteWidth",
    "FixedFunction",
    "FixedPoint",
    "FixedPointEnd",
    "Flow",
    "FlowEnd",
    "Gaussian",
    "LayerPlace",
    "LeadingForm",
    "LeadingFormKind",
    "LinearLayer",
    "LinearisedFlow",
    "MeanField",
    "NoCriticalLineError",
    "NoFixedPointError",
    "NoisyLayer",
    "Operator",
    "Phase",
    "PhaseDiagram",
    "Placement",
    "RandomLayer",
    "RandomStack",
    "Regime",
    "RenormalisedLayer",
    "RepeatedLayer",
    "ScalingField",
    "ScalingFieldKind",
    "Signals",
    "Spectrum",
    "StationaryLaw",
    "TransferMatrix",
    "TransferOperator",
    "Transition",
    "TransitionKind",
    "Truncation",
    "VarianceEnd",
    "block_means",
    "block_spins",
    "collapse",
    "critical_coupling",
    "critical_line",
    "criticality",
    "decimate",
    "exponents",
    "fixed_points",
    "flow",
    "linearise",
    "operators",
    "phase_diagram",
    "place",
    "renormalise",
    "sample_flow",
    "transition",
]

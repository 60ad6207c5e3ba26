"""Wide random layers: mean-field theory of signals through depth, phases, and the place of networks among them."""

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
    "Criticality",
    "CriticalityKind",
    "Decay",
    "DecayEnd",
    "FiniteWidth",
    "LayerPlace",
    "MeanField",
    "NoCriticalLineError",
    "Phase",
    "PhaseDiagram",
    "Placement",
    "RandomLayer",
    "RandomStack",
    "Signals",
    "Transition",
    "TransitionKind",
    "VarianceEnd",
    "critical_line",
    "criticality",
    "phase_diagram",
    "place",
    "transition",
]

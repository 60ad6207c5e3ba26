"""One scalar layer without noise, repeated: signals at any depth, and the fixed-point function of its flow."""

from statnn.rg.repeated._fixed_function import FixedFunction
from statnn.rg.repeated._layer import RepeatedLayer
from statnn.rg.repeated._leading_form import LeadingForm, LeadingFormKind
from statnn.rg.repeated._renormalised import RenormalisedLayer, renormalise
from statnn.rg.repeated._scaling_field import ScalingField, ScalingFieldKind

__all__ = [
    "FixedFunction",
    "LeadingForm",
    "LeadingFormKind",
    "RenormalisedLayer",
    "RepeatedLayer",
    "ScalingField",
    "ScalingFieldKind",
    "renormalise",
]

"""Derivations of the renormalisation over repeated layers, by name."""

from collections.abc import Callable

from statnn.theory.derivation import Derivation
from statnn.theory.rg.decimation import decimation
from statnn.theory.rg.functional import fixed_function, spectrum
from statnn.theory.rg.gelu import gelu_layers
from statnn.theory.rg.linear import linear_layers
from statnn.theory.rg.meanfield import erf_layers, gaussian_averages, relu_layers
from statnn.theory.rg.meanfield_series import finite_width, tanh_criticality, tanh_sums
from statnn.theory.rg.noise_cutoff import cutoff_by_noise, noise_correction
from statnn.theory.rg.noisy import noisy_doubling
from statnn.theory.rg.repeated import depth_scaling, finite_depth
from statnn.theory.rg.sine import sine_layers
from statnn.theory.rg.swendsen import swendsen

DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    "linear-layers": linear_layers,
    "decimation": decimation,
    "noisy-doubling": noisy_doubling,
    "gaussian-averages": gaussian_averages,
    "erf-layers": erf_layers,
    "relu-layers": relu_layers,
    "sine-layers": sine_layers,
    "gelu-layers": gelu_layers,
    "tanh-sums": tanh_sums,
    "tanh-criticality": tanh_criticality,
    "finite-width": finite_width,
    "functional-fixed-point": fixed_function,
    "functional-spectrum": spectrum,
    "depth-scaling": depth_scaling,
    "finite-depth": finite_depth,
    "noise-cutoff": cutoff_by_noise,
    "noise-correction": noise_correction,
    "swendsen": swendsen,
}

__all__ = ["DERIVATIONS"]

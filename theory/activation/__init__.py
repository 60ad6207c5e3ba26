"""Derivations for the activation processes, by name."""

from collections.abc import Callable

from theory.activation.bound import bound
from theory.activation.counts import counts
from theory.activation.gamma_poisson import gamma_poisson
from theory.activation.growth import growth
from theory.activation.laws import beta_bernoulli, urn
from theory.activation.limits import limits
from theory.activation.log_gamma import log_gamma
from theory.activation.loss import loss
from theory.activation.rarefaction import rarefaction
from theory.activation.rates import mean_field
from theory.activation.survival import survival
from theory.activation.urn_law import urn_law
from theory.derivation import Derivation

DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    "mean-field": mean_field,
    "beta-bernoulli": beta_bernoulli,
    "urn": urn,
    "survival": survival,
    "gamma-poisson": gamma_poisson,
    "counts": counts,
    "growth": growth,
    "loss": loss,
    "limits": limits,
    "bound": bound,
    "urn-law": urn_law,
    "rarefaction": rarefaction,
    "log-gamma": log_gamma,
}

__all__ = ["DERIVATIONS"]

"""Derivations for the activation processes, by name."""

from collections.abc import Callable

from statnn.theory.activation.bound import bound
from statnn.theory.activation.counts import counts
from statnn.theory.activation.gamma_poisson import gamma_poisson
from statnn.theory.activation.growth import growth
from statnn.theory.activation.laws import beta_bernoulli, urn
from statnn.theory.activation.limits import limits
from statnn.theory.activation.log_gamma import log_gamma
from statnn.theory.activation.loss import loss
from statnn.theory.activation.rarefaction import rarefaction
from statnn.theory.activation.rates import mean_field
from statnn.theory.activation.survival import survival
from statnn.theory.activation.urn_law import urn_law
from statnn.theory.derivation import Derivation

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

"""Activation processes: what computes their formulas."""

from typing import Any

from formula_rows.row import Row
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, rarefaction


def _processes() -> dict[str, Row]:
    rows = {}
    for family, kind in (("gamma-poisson", GammaPoisson), ("beta-bernoulli", BetaBernoulli)):
        rows |= {
            f"{family}.{name.replace('_', '-')}": Row(
                lambda N, b, c, D, kind=kind, name=name: getattr(kind(N, b, c), name)(D), 1e-11
            )
            for name in ("silent", "working", "missing_mass", "growth_rate", "cutoff")
        }
        rows[f"{family}.working-variance"] = Row(lambda N, b, c, D, kind=kind: kind(N, b, c).working_std(D) ** 2, 1e-11)
        rows[f"{family}.working-law"] = Row(lambda N, b, c, D, k, kind=kind: kind(N, b, c).working_law(D).pmf(k), 1e-10)
        rows[f"{family}.inflection"] = Row(lambda N, c, b=0.7, kind=kind: kind(N, b, c).inflection(), 1e-10, points=2)
        rows[f"{family}.count"] = Row(lambda N, b, c, D, k, kind=kind: kind(N, b, c).count(D).pmf(k))
        rows[f"{family}.size-biased-count"] = Row(
            lambda N, b, c, D, k, kind=kind: kind(N, b, c).loss(D, lambda count: 1.0 * (count == k)), 1e-11
        )
    return rows


def _started(kind: Any, N: int, b: float, c: float, D_0: float, K_0: int) -> Any:
    """Return a process of which so many neurons have worked, once each, and the first of an urn all other times."""
    counts = [1] * K_0 + [0] * (N - K_0)
    if K_0 and kind is PolyaUrn:
        counts[0] += int(D_0) - K_0
    return kind(N, b, c).after(int(D_0), counts)


def _start(random: Any) -> dict[str, Any]:
    start, working = random.randint(6, 9), random.randint(1, 5)
    return {"N": 6, "D_0": start, "n_0": start, "K_0": working, "D": start + 2.5, "n": start + 2.5}


ACTIVATION = {
    **_processes(),
    "gamma-poisson.noise-to-signal": Row(lambda N, b, c, D: GammaPoisson(N, b, c).noise_to_signal(D)),
    "gamma-poisson.tail-exponent": Row(lambda b: GammaPoisson(9, b, 2.0).tail_exponent()),
    "gamma-poisson.working-after": Row(
        lambda N, b, c, D, D_0, K_0: _started(GammaPoisson, N, b, c, D_0, K_0).working(D), at=_start
    ),
    "beta-bernoulli.working-after": Row(
        lambda N, b, c, D, D_0, K_0: _started(BetaBernoulli, N, b, c, D_0, K_0).working(D),
        at=lambda random: _start(random) | {"c": random.uniform(0.5, 5.5)},
    ),
    "beta-bernoulli.limit-error-bound": Row(
        lambda N, b, c, D: BetaBernoulli(N, b, c).limit_error_bound(D), 1e-9
    ),
    "polya-urn.silent": Row(lambda N, b, n: PolyaUrn(N, b).silent(n)),
    "polya-urn.working": Row(lambda N, b, n: PolyaUrn(N, b).working(n)),
    "polya-urn.missing-mass": Row(lambda N, b, n: PolyaUrn(N, b).missing_mass(n)),
    "polya-urn.growth-rate": Row(lambda N, b, n: PolyaUrn(N, b).growth_rate(n), 1e-11),
    "polya-urn.cutoff": Row(lambda N, b, n: PolyaUrn(N, b).cutoff(n), 1e-11),
    "polya-urn.working-variance": Row(lambda N, b, n: PolyaUrn(N, b).working_std(n) ** 2, 1e-8),
    "polya-urn.working-law": Row(lambda N, b, n, k: PolyaUrn(N, b).working_law(n).pmf(k), 1e-9),
    "polya-urn.inflection": Row(lambda N, b: PolyaUrn(N, b).inflection(), 1e-10, points=2),
    "polya-urn.count": Row(lambda N, b, n, k: PolyaUrn(N, b).count(n).pmf(k)),
    "polya-urn.size-biased-count": Row(
        lambda N, b, n, k: PolyaUrn(N, b).loss(n, lambda count: 1.0 * (count == k)), 1e-11
    ),
    "polya-urn.limit-error-bound": Row(lambda N, b, n: PolyaUrn(N, b).limit_error_bound(n), 1e-9),
    "polya-urn.working-after": Row(
        lambda N, b, n, n_0, K_0: _started(PolyaUrn, N, b, 1.0, n_0, K_0).working(n), at=_start
    ),
    "rarefaction.working": Row(lambda D, k, d: rarefaction([k], D, d).working[0], at=lambda random: {
        "D": 20, "k": random.randint(0, 20), "d": random.randint(0, 20)}),
    "rarefaction.variance": Row(lambda D, k, d: rarefaction([k], D, d).std[0] ** 2, at=lambda random: {
        "D": 20, "k": random.randint(0, 20), "d": random.randint(0, 20)}),
}  # fmt: skip

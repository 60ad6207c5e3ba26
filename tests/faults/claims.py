"""A registry of quick claims, for runs of claims that are killed."""

from statnn.testing import statistics
from validation.claim import Claim, Finding, Outcome, Verdict

HEADS = "share of heads"


def _toss(rng, quick):
    return {"tosses": rng.integers(0, 2, 1000 if quick else 4000), "theory": 0.5}


def _judge(data):
    finding = Finding.of(HEADS, statistics.mean(data["tosses"], float(data["theory"])), sees=0.3, unit="in the share")
    return Verdict.judged([finding], Outcome.EXACT, "as of a fair coin", otherwise="the coin is not fair")


def _draw(data, figure):
    figure.add_subplot().plot(data["tosses"].cumsum())


def _loaded(data, by):
    return {**data, "theory": 0.5 + by}


def _coin(name):
    return Claim(
        name, "A fair coin", "Half of all tosses of a fair coin are heads.", "Bernoulli 1713, Ars conjectandi", "exact",
        Outcome.EXACT, _toss, _judge, _draw, {HEADS: _loaded},
    )  # fmt: skip


CLAIMS = {name: _coin(name) for name in ("first-coin", "second-coin", "third-coin")}

"""What the claim on memorising networks measures: effects, areas, and its judgement of made-up networks."""

import numpy as np
import pytest

from validation.claim import Outcome
from validation.claims.measure import memorisation

rocs = pytest.importorskip("sklearn.metrics")


def networks(rng, shifts):
    """Made-up indicators: set-ups whose generalising networks are shifted at the end, all indicators alike."""
    values = 0.01 * rng.standard_normal((len(shifts), 2, 8, 4, len(memorisation.INDICATORS)))
    values[:, 0, :, 1:] += np.reshape(shifts, (-1, 1, 1, 1))
    return {
        "values": values,
        "accuracy": np.ones((len(shifts), 2, 8, 2)),
        "setups": np.array([f"set-up {i}" for i in range(len(shifts))]),
        "epochs": np.array([0, 1, 5, 40]),
    }


def test_area_is_that_under_the_curve(rng):
    high, low = np.round(rng.normal(0.7, 1, 30), 1), np.round(rng.standard_normal(20), 1)
    truth = np.repeat([1, 0], [30, 20])
    area, error = memorisation._area(high, low)
    assert area == pytest.approx(rocs.roc_auc_score(truth, np.concatenate([high, low])))
    resampled = [memorisation._area(rng.choice(high, 30), rng.choice(low, 20))[0] for _ in range(400)]
    assert error == pytest.approx(np.std(resampled), rel=0.25)


def test_effect_is_a_difference_in_standard_deviations():
    low, high = np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0])
    d, error = memorisation._effect(low, high)
    assert d == pytest.approx(-2)
    assert error == pytest.approx(np.sqrt(6 / 9 + 4 / 12))


@pytest.mark.parametrize(
    ("shifts", "holds", "opposite"),
    [
        ((0.5, 0.4), True, memorisation._exchanged),
        ((0.5, -0.4), False, memorisation._alike),
        ((0.5, 0.0), False, memorisation._alike),
    ],
)
def test_one_direction_in_all_set_ups_is_asked_for(rng, shifts, holds, opposite):
    data = networks(rng, shifts)
    assert (memorisation.DIRECTION not in memorisation._judge(data).failing) is holds
    assert (memorisation.DIRECTION not in memorisation._judge(opposite(data, 1.0)).failing) is not holds


def test_both_kinds_of_networks_must_differ_from_random_ones(rng):
    data = networks(rng, (0.5, 0.4))
    assert memorisation.MOVED in memorisation._judge(data).failing, "memorising networks are where they began"
    data["values"][:, 1, :, 1:] += 0.2
    verdict = memorisation._judge(data)
    assert verdict.outcome is Outcome.DOMAIN
    assert memorisation.MOVED in memorisation._judge(memorisation._nearer(data, 100)).failing

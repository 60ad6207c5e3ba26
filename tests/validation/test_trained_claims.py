"""What claims on trained networks measure: changes without bias of selection, peaks, sizes at which curves part."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from statnn.testing import assert_mean, rejects, statistics
from statnn.testing.statistics import Refusal
from validation.claims import CLAIMS, _trained
from validation.claims.activation import training_size
from validation.claims.measure import critical_size, double_descent, order_in_training

# -- a peak that is chosen on other replicas -------------------------------------------------------------------


def falls(rng, change):
    """Return the rise or fall, as `change` measures it, of many sets of curves that are noise and nothing else."""
    return np.array([change(rng.standard_normal((6, 9))) for _ in range(4_000)])


def chosen_on_itself(values):
    mean = values.mean(axis=0)
    return mean.max() - mean[-1]


def test_noise_neither_rises_nor_falls(rng):
    assert_mean(falls(rng, lambda v: order_in_training._rise_and_fall(v)[1].mean()), 0.0, what="fall of noise")
    assert_mean(falls(rng, lambda v: double_descent._rise_and_fall(v)[0].mean()), 0.0, what="rise of noise")
    with rejects("fall of noise"):
        assert_mean(falls(rng, chosen_on_itself), 0.0, what="fall of noise")


@given(height=st.floats(0.1, 10), at=st.integers(1, 7), replicas=st.integers(2, 6))
def test_a_common_peak_is_found_whole(height, at, replicas):
    curve = np.zeros(9)
    curve[at] = height
    for module in (order_in_training, double_descent):
        rise, fall = module._rise_and_fall(np.tile(curve, (replicas, 1)))
        assert rise == pytest.approx(height)
        assert fall == pytest.approx(height)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=9))
def test_peak_stands_between_its_two_feet(values):
    peak, left, right = double_descent._peak(np.array(values))
    assert left < peak < right
    assert values[left] == min(values[:peak])
    assert values[right] == min(values[peak + 1 :])


def test_falling_curve_has_no_peak():
    rise, fall = double_descent._rise_and_fall(np.tile(np.arange(9.0)[::-1], (5, 1)))
    assert (rise < 0).all()
    assert (fall > 0).all()


# -- means of replicas -----------------------------------------------------------------------------------------


def test_replicas_that_agree_are_compared_exactly():
    assert _trained.is_clear(_trained.above_zero(np.full(5, 0.3)))
    assert not _trained.is_clear(_trained.above_zero(np.zeros(5)))
    assert not _trained.is_clear(_trained.above_zero(np.full(5, -0.3)))
    for bad in ([1.0, np.nan, 1.0, 1.0, 1.0], [1.0, 2.0]):
        with pytest.raises(Refusal):
            _trained.above_zero(bad)


@given(st.integers(2, 8))
def test_the_others_are_all_but_one(replicas):
    values = np.arange(replicas * 3.0).reshape(replicas, 3) ** 2
    for i, (own, rest) in enumerate(_trained.others(values)):
        assert np.array_equal(own, values[i])
        np.testing.assert_allclose(rest, np.delete(values, i, axis=0).mean(axis=0))


# -- where curves part -----------------------------------------------------------------------------------------

SIZES = 10 * 2 ** np.arange(8)


@given(start=st.floats(20, 500), slope=st.floats(0.01, 0.2))
def test_parting_is_where_a_ramp_crosses(start, slope):
    ramp = slope * np.log(SIZES / start)
    exact = np.log(start) + critical_size.APART / slope
    parting = critical_size._parting(SIZES, ramp)
    if exact > np.log(SIZES[-1]):
        assert parting == np.inf
    else:
        assert parting == pytest.approx(max(exact, np.log(SIZES[0])))


def test_parting_is_for_good():
    gap = np.array([0.05, 0.05, 0.0, 0.0, 0.05, 0.05, 0.05, 0.05])
    assert np.log(SIZES[3]) < critical_size._parting(SIZES, gap) < np.log(SIZES[4])


def accuracies(rng, ratio, replicas=12):
    """Three curves of which the last parts at `ratio` times the size at which the second does."""
    clean = [np.maximum(0.03 * np.log(SIZES / start), 0) for start in (1e-9, 40.0, 40.0 * ratio)]
    curves = np.stack([np.full(8, 0.9), 0.9 - clean[1], 0.9 - clean[2]], axis=1)
    return curves + 2e-3 * rng.standard_normal((replicas, 8, 3))


def test_two_sizes_are_told_from_one(rng):
    for ratio, outcome in ((1.0, "holds within a domain"), (3.0, "contradicted")):
        data = {"sizes": SIZES, "accuracy": accuracies(rng, ratio)}
        verdict = critical_size._judge(data)
        assert verdict.outcome == outcome
        if ratio == 1:
            moved = critical_size._judge(critical_size._sooner(data, 1.5 * verdict[critical_size.RATIO].sees))
            assert critical_size.RATIO in moved.failing
    size, error = critical_size._partings(data)
    assert abs(size[1] - size[0] - np.log(3)) < 10 * error[2]


def test_curve_that_never_parts_contradicts(rng):
    data = {"sizes": SIZES, "accuracy": accuracies(rng, 1e3)}
    verdict = critical_size._judge(data)
    assert verdict.outcome == "contradicted"
    assert "never falls behind" in verdict.detail


# -- rise and fall, relation and linearity, judged -------------------------------------------------------------


def test_verdicts_follow_the_data(rng):
    noise = 0.01 * rng.standard_normal((10, 5, 3))
    rise = np.array([0, 1, 2, 1.9, 1.8])[:, None] * np.ones(3) + noise
    data = {"slopes": rise, "epochs": np.arange(5), "test_accuracy": np.full((10, 5), 0.9)}
    verdict = order_in_training._judge_rise(data)
    assert verdict.outcome == "holds within a domain"
    for quantity, twin in (
        (order_in_training.RISE, order_in_training._no_rise),
        (order_in_training.FALL, order_in_training._no_fall),
    ):
        wrong = order_in_training._judge_rise(twin(data, 1.5 * verdict[quantity].sees))
        assert wrong.outcome == "contradicted"
        assert quantity in wrong.failing

    curves = np.full((10, 2, 8), 0.97) + 1e-3 * rng.standard_normal((10, 2, 8))
    curves[..., :4] -= 0.1
    data = {"accuracy": curves}
    verdict = order_in_training._judge_late(data)
    assert verdict.outcome == "holds within a domain"
    assert "from 4 hidden layers on" in verdict.detail
    assert order_in_training._judge_late(order_in_training._loses(data, 0.015)).outcome == "contradicted"


def test_accuracies_that_do_not_differ_show_no_relation(rng):
    slopes = rng.standard_normal((1, 6, 4))
    accuracy = 0.9 + np.concatenate((np.zeros((1, 3, 4)), rng.standard_normal((1, 3, 4))), axis=1)
    relations = order_in_training._relations({"slopes": slopes, "test_accuracy": accuracy}, 0)
    assert (relations[:3] == 0).all()
    correlations = [np.corrcoef(slopes[0, i], accuracy[0, i])[0, 1] for i in (3, 4, 5)]
    np.testing.assert_allclose(np.tanh(relations[3:]), np.clip(correlations, -0.9999, 0.9999))


def test_nearly_straight_relations_are_judged(rng):
    """Correlations just below 1 but for a weaker few are so skewed that 24 could not be judged; their z can."""
    slopes = np.tile(np.linspace(-1, 1, 4), (2, 24, 1))
    aside = np.tile([1.0, -1.0, -1.0, 1.0], (2, 24, 1)) * np.where(np.arange(24) < 2, 0.5, 0.1)[:, None]
    accuracy = 0.9 - 0.01 * (slopes + aside * (1 + 0.1 * rng.standard_normal((2, 24, 1))))
    data = {"rates": np.geomspace(1e-3, 1e-1, 4), "epochs": np.array([5, 50]), "slopes": slopes}
    data |= {"test_accuracy": accuracy, "train_accuracy": np.ones((2, 24, 4))}
    with pytest.raises(Refusal, match=r"24 replicates of skewness .* are too few"):
        statistics.mean(np.tanh(order_in_training._relations(data, -1)), 0.0)
    assert order_in_training._judge_against(data).outcome == "holds within a domain"


@pytest.mark.parametrize(("sign", "outcome"), [(-1, "holds within a domain"), (1, "contradicted")])
def test_relation_is_judged_by_its_sign(sign, outcome, rng):
    slopes = np.linspace(1, 2, 4) + 0.01 * rng.standard_normal((2, 8, 4))
    data = {
        "rates": np.geomspace(1e-3, 1e-1, 4),
        "epochs": np.array([5, 50]),
        "slopes": slopes,
        "test_accuracy": 0.9 + sign * 0.02 * slopes,
        "train_accuracy": np.ones((2, 8, 4)),
    }
    assert order_in_training._judge_against(data).outcome == outcome
    assert order_in_training._judge_against(order_in_training._opposite(data, 0.75)).outcome != outcome


def test_claims_that_train_say_that_they_need_torch():
    """Unless they ask for scikit-learn, which cannot train every recipe: without torch they would crash."""
    trains = {}
    for claim in CLAIMS.values():
        source = inspect.getsource(inspect.getmodule(claim.run))
        trains[claim.id] = "train_all(" in source and 'engine="scikit-learn"' not in source
        assert not trains[claim.id] or "torch" in claim.needs, claim.id
    assert sum(trains.values()) > 10
    assert not all(trains.values())


def test_skewed_missing_masses_are_judged(rng):
    """What is missing at the largest D is due to a few units, and so skewed that 48 means could not be judged."""
    sizes, spread = np.array([30, 120, 480, 1920]), 1 + 0.05 * rng.standard_normal((4, 48, 4))
    loss, error, ratio, mass = spread * np.array([sizes**-slope for slope in (0.3, 0.4, 0.8, 1.5)])[:, None]
    mass[:, -1] *= rng.permutation(stats.gamma.ppf((np.arange(48) + 0.5) / 48, 0.4)) / 0.4
    data = {"sizes": sizes, "loss": loss, "error": error, "ratio": ratio, "mass": mass, "b": np.full((48, 4), 1.8)}
    with pytest.raises(Refusal, match=r"48 replicates of skewness .* are too few"):
        statistics.mean(mass[:, -1], 0.0)
    verdict = training_size._judge(data)
    assert verdict.outcome == "contradicted"
    for quantity, twin in training_size.TWINS.items():
        assert training_size._judge(twin(data, 1.5 * verdict[quantity].sees)).outcome != "contradicted"

"""Bad input is refused at the edge with a message that teaches; good input never gives NaN."""

import math
import pickle
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn import _random, _xoshiro
from statnn._arguments import LARGEST_COUNT, at_least, increasing, positive, shaped, whole, whole_array
from statnn._tasks import run_tasks
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, checkpoints, fit, rarefaction
from statnn.testing.strategies import parameters, samples, whole_samples

NAN, INF = math.nan, math.inf
KINDS = (BetaBernoulli, PolyaUrn, GammaPoisson)
each_process = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
beta, urn, gamma = BetaBernoulli(4, 0.5, 2.0), PolyaUrn(4, 0.5), GammaPoisson(4, 0.5, 2.0)
started = beta.after(10, [3, 0, 0, 1])
HUGE = 10**400
YES = True

TABLE = [
    # parameters
    (lambda: BetaBernoulli(4, 0.5, 4.0), ValueError, r"c = 4 must be below N = 4: .* use PolyaUrn"),
    (lambda: BetaBernoulli(4, 0.5, 5.0), ValueError, r"c = 5 must be below N = 4"),
    (lambda: BetaBernoulli(4, 0.0, 2.0), ValueError, r"b = 0.0 must be a finite number above 0: .* take"),
    (lambda: GammaPoisson(4, -1.0, 2.0), ValueError, r"b = -1.0 must be a finite number above 0"),
    (lambda: PolyaUrn(4, NAN), ValueError, r"b = nan must be a finite number above 0"),
    (lambda: PolyaUrn(4, INF), ValueError, r"b = inf must be a finite number above 0"),
    (lambda: PolyaUrn(4, HUGE), ValueError, r"b = 1000.* must be a finite number above 0"),
    (lambda: GammaPoisson(4, 0.5, 0.0), ValueError, r"c = 0.0 must be .* mean number of active neurons"),
    (lambda: GammaPoisson(4, 0.5, NAN), ValueError, r"c = nan must be"),
    (lambda: GammaPoisson(4, 0.5, INF), ValueError, r"c = inf must be"),
    (lambda: BetaBernoulli(4, "0.5", 2.0), TypeError, r"b = '0.5' is a str; one real number is needed"),
    (lambda: BetaBernoulli(4, YES, 2.0), TypeError, r"b = True is a bool"),
    (lambda: BetaBernoulli(4, 0.5, [2.0]), TypeError, r"c = \[2.0\] is a list"),
    (lambda: BetaBernoulli(4, 0.5j, 1.0), TypeError, r"b = 0.5j is a complex"),
    (lambda: BetaBernoulli(1, 0.5, 0.5), ValueError, r"neurons = 1 is outside the allowed range \[2,"),
    (lambda: BetaBernoulli(10**16, 0.5, 0.5), ValueError, r"neurons = 10{16} is outside the allowed range"),
    (lambda: BetaBernoulli(4.0, 0.5, 2.0), TypeError, r"neurons = 4.0 is a float; .* write 10\*\*6, not 1e6"),
    (lambda: BetaBernoulli(YES, 0.5, 0.1), TypeError, r"neurons = True is a bool"),
    (lambda: GammaPoisson(4, 1e200, 1e-200), ValueError, r"b N / c with b.* is outside \[1e-150, 1e290\]"),
    (lambda: PolyaUrn(10**15, 1e300, 1e30), ValueError, r"b = 1e\+300 and c = 1e\+30 .* nearer to 1"),
    (lambda: PolyaUrn(2, 1e290, 1e300), ValueError, r"b = 1e\+290 and c = 1e\+300 .* nearer to 1"),
    (lambda: GammaPoisson(1000, 1e-200, 1e-200), ValueError, r"b = 1e-200 and c = 1e-200 .* nearer to 1"),
    (lambda: GammaPoisson(4, 0.5, 2.0, start=(10, 2)), TypeError, r"start = \(10, 2\) is none: process.after\(samples"),
    (lambda: GammaPoisson(5, 0.5, 2.0, start=started.start), ValueError, r"does not belong to 5 neurons: use after"),
    # numbers of samples
    (lambda: beta.working(-1), ValueError, r"D = -1 is not a finite number >= 0: D counts samples"),
    (lambda: beta.working([1, NAN, 3]), ValueError, r"D = nan is not a finite number"),
    (lambda: beta.silent(INF), ValueError, r"D = inf is not a finite number"),
    (lambda: beta.missing_mass("many"), TypeError, r"D must hold real numbers, not <U4"),
    (lambda: beta.growth_rate(None), TypeError, r"D must hold real numbers, not object"),
    (lambda: beta.working(YES), TypeError, r"D must hold real numbers, not bool: "),
    (lambda: beta.working([YES]), TypeError, r"D must hold .*, not bool \(pass numpy.asarray\(D, dtype=float\)\): "),
    (lambda: beta.working([Fraction(1, 2), 1j]), TypeError, r"D must hold real numbers, not (object|complex128): "),
    (lambda: beta.working([Decimal(2)]), TypeError, r"D must .*, not object \(pass numpy.asarray\(D, dtype=float"),
    (
        lambda: beta.working([Fraction(1, 2)]),
        TypeError,
        r"D must .*, not object \(pass numpy.asarray\(D, dtype=float\)",
    ),
    (lambda: beta.working([[1], [2, 3]]), ValueError, r"inhomogeneous"),
    (lambda: beta.working_std(1j), TypeError, r"D must hold real numbers, not complex128"),
    (lambda: gamma.cutoff(-0.5), ValueError, r"D = -0.5 is not a finite number >= 0"),
    (lambda: urn.limit_error_bound(-3), ValueError, r"D = -3 is not a finite number >= 0"),
    (lambda: urn.working([1.0, 1e200]), ValueError, r"D = 1e\+200 exceeds 1e\+100"),
    (lambda: started.working(9.5), ValueError, r"D = 9.5 is not a finite number >= 10: the process starts there"),
    (lambda: beta.count(10.0), TypeError, r"D = 10.0 is a float; a whole number of type int"),
    (lambda: beta.count(-1), ValueError, r"D = -1 is outside the allowed range \[0,"),
    (lambda: beta.count(10**19), ValueError, r"D = 10{19} is outside the allowed range"),
    (lambda: beta.count(NAN), TypeError, r"D = nan is a float"),
    (lambda: beta.count(5, initial=1), ValueError, r"initial = 1 is outside the allowed range \[0, 0\]"),
    (lambda: started.count(20, initial=11), ValueError, r"initial = 11 is outside the allowed range \[0, 10\]"),
    (lambda: started.count(9), ValueError, r"D = 9 is outside the allowed range \[10,"),
    (lambda: gamma.working_law(2.5), TypeError, r"D = 2.5 is a float"),
    (lambda: started.working_law(3), ValueError, r"D = 3 is outside the allowed range \[10,"),
    (lambda: urn.working_law(-2), ValueError, r"D = -2 is outside the allowed range"),
    # events of the urn
    (lambda: PolyaUrn(4, 0.5, 0.3).count(5), ValueError, r"c D = 0.3 x 5 is not a whole number .* c = 1"),
    (lambda: PolyaUrn(4, 0.5, 0.3).simulate([5]), ValueError, r"is not a whole number of activation events"),
    (lambda: PolyaUrn(4, 0.5, 0.5).working_law(5), ValueError, r"c D = 0.5 x 5 is not a whole number"),
    (lambda: PolyaUrn(4, 0.5, 100.0).count(10**18), ValueError, r"c D = 1e\+20 events exceed 9e\+18"),
    (lambda: PolyaUrn(4, 0.5, 1e140).simulate([2]), ValueError, r"events exceed 9e\+18"),
    # losses
    (lambda: beta.loss(3, lambda _: [1.0]), ValueError, r"one finite number for each k"),
    (lambda: beta.loss(3, lambda k: k * NAN), ValueError, r"one finite number for each k"),
    (lambda: beta.loss(3, "missing"), TypeError, r"per_neuron_loss = 'missing' is not a function: pass l\(k\)"),
    (lambda: beta.loss(2.5, np.ones_like), TypeError, r"D = 2.5 is a float"),
    (lambda: beta.loss([3, -1], np.ones_like), ValueError, r"D = -1 is outside"),
    (lambda: GammaPoisson(2, 1e-3, 1.0).loss(10**18, np.ones_like), ValueError, r"counts reach .* fewer samples"),
    # starts
    (lambda: beta.after(3, [1, 2, 0]), ValueError, r"counts has shape \(3,\); shape \(4,\) is needed"),
    (lambda: beta.after(3, [[1, 2, 0, 0]]), ValueError, r"counts has shape \(1, 4\)"),
    (lambda: beta.after(3, [1.0, 2, 0, 0]), TypeError, r"counts must hold whole numbers .*float64: convert"),
    (lambda: beta.after(3, [True, True, False, True]), TypeError, r"counts must hold whole numbers .* not bool"),
    (lambda: fit(np.ones((3, 4), bool), 3), ValueError, r"counts has shape \(3, 4\).*\(activity > 0\).sum\(axis=0\)"),
    (lambda: rarefaction(np.ones((3, 4)), 3, [1]), ValueError, r"statnn.measure.growth.layer\(activity\)"),
    (lambda: beta.after(3, [1, 4, 0, 0]), ValueError, r"counts reach 4 in samples = 3: .* at most once"),
    (lambda: beta.after(3, [1, -2, 0, 0]), ValueError, r"counts\[1\] = -2 is outside the allowed range"),
    (lambda: beta.after(3.0, [1, 2, 0, 0]), TypeError, r"samples = 3.0 is a float"),
    (lambda: beta.after(-3, [0, 0, 0, 0]), ValueError, r"samples = -3 is outside"),
    (lambda: beta.after(0, [0, 0, 1, 0]), ValueError, r"counts"),
    (lambda: gamma.after(0, [0, 0, 1, 0]), ValueError, r"counts reach 1 after samples = 0: then all are 0"),
    (lambda: gamma.after(1, [9 * 10**18, 10**18, 0, 0]), ValueError, r"counts sum to 10{19}, above"),
    (lambda: urn.after(3, [1, 1, 0, 0]), ValueError, r"counts sum to 2, but samples = 3 hold c D = 3"),
    (lambda: urn.after(3, [1, 1, 1]), ValueError, r"counts has shape \(3,\)"),
    (lambda: started.after(20, [3, 0, 0, 1]), ValueError, r"has a start already; call after\(\) on the process"),
    (
        lambda: BetaBernoulli((4, 5), 0.5, 2.0),
        TypeError,
        r"neurons = \(4, 5\) is a tuple.*: call once for each of them",
    ),
    (lambda: GammaPoisson(4, 1.0, 1e10).count(10**15).rvs(random_state=1), ValueError, r"of about .* exceeds 9.0e\+18"),
    # simulation
    (lambda: beta.simulate([3, 2]), ValueError, r"checkpoints must increase strictly, but 2 follows 3: pass numpy"),
    (lambda: beta.simulate([3, 3]), ValueError, r"checkpoints must increase strictly, but 3 follows 3"),
    (lambda: beta.simulate([]), (TypeError, ValueError), r"checkpoints"),
    (lambda: beta.simulate(7), ValueError, r"checkpoints has shape \(\); one non-empty row"),
    (lambda: beta.simulate([[1, 2]]), ValueError, r"checkpoints has shape \(1, 2\)"),
    (lambda: beta.simulate([1.0, 2.0]), TypeError, r"checkpoints must hold whole numbers .* not float64"),
    (lambda: beta.simulate([-1, 2]), ValueError, r"checkpoints\[0\] = -1 is outside"),
    (lambda: beta.simulate([10**19]), ValueError, r"checkpoints\[0\] = 10{19} is outside"),
    (lambda: beta.simulate([10**30]), (TypeError, ValueError), r"checkpoints"),
    (lambda: started.simulate([9, 12]), ValueError, r"checkpoints\[0\] = 9 lies before the start at 10"),
    (lambda: beta.simulate([2], 0), ValueError, r"replicas = 0 is outside the allowed range \[1,"),
    (lambda: beta.simulate([2], -1), ValueError, r"replicas = -1 is outside"),
    (lambda: beta.simulate([2], 2.0), TypeError, r"replicas = 2.0 is a float"),
    (lambda: beta.simulate([2], YES), TypeError, r"replicas = True is a bool"),
    (lambda: beta.simulate([2], range(0)), ValueError, r"replicas = range\(0, 0\) must name at least one replica"),
    (lambda: beta.simulate([2], range(-1, 2)), ValueError, r"replicas = range\(-1, 2\) .* numbered from 0"),
    (lambda: beta.simulate([2], method="fast"), ValueError, r"method = 'fast' is unknown; choose \"exact\" or"),
    (lambda: beta.simulate([2], rng=-1), ValueError, r"rng = -1 is outside the allowed range \[0,"),
    (lambda: beta.simulate([2], rng=1.5), TypeError, r"rng = 1.5 is a float"),
    (lambda: beta.simulate([2], rng="1"), TypeError, r"rng = '1' is a str"),
    (lambda: beta.simulate([2], rng=True), TypeError, r"rng = True is a bool"),
    (lambda: beta.simulate([2], rng=np.random.RandomState(1)), TypeError, r"rng = RandomState.*"),
    (lambda: GammaPoisson(4, 1.0, 4e3).simulate([10**18], counts=True, rng=1), ValueError, r"ask for fewer samples"),
    (lambda: checkpoints(0), ValueError, r"last = 0 is outside the allowed range \[1,"),
    (lambda: checkpoints(1e6), TypeError, r"last = 1000000.0 is a float; .* write 10\*\*6, not 1e6"),
    (lambda: checkpoints(10, 0), ValueError, r"number = 0 is outside"),
    (lambda: beta.simulate([2]).plot(level=1.0), ValueError, r"level = 1.0 must lie between 0 and 1"),
    (lambda: beta.plot(ax=3), TypeError, r"ax = 3 is not a matplotlib axes: pass figure.add_subplot"),
]


@pytest.mark.parametrize(("call", "error", "message"), TABLE, ids=range(len(TABLE)))
def test_bad_input_teaches(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- the edge itself -------------------------------------------------------------------------------------


@given(value=st.integers(-(2**70), 2**70))
def test_whole_numbers_pass_or_are_named(value):
    if 0 <= value <= LARGEST_COUNT:
        assert whole(value, "x", minimum=0) == value
    else:
        with pytest.raises(ValueError, match=str(value)):
            whole(value, "x", minimum=0)


@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.int64, int])
def test_integers_of_any_kind_become_python_integers(kind):
    assert type(whole(kind(7), "x", minimum=0)) is int
    assert positive(kind(7), "x", why="") == 7.0
    assert whole_array([kind(7)], "x").dtype == np.int64


@pytest.mark.parametrize("value", [np.float64(7), 7.0, "7", None, [7], np.bool_(YES), YES])
def test_nothing_else_passes_for_an_integer(value):
    with pytest.raises(TypeError, match="is a"):
        whole(value, "x", minimum=0)


def test_unsigned_numbers_beyond_64_bits_are_not_wrapped():
    with pytest.raises(ValueError, match=r"x\[0\] = 18446744073709551615"):
        whole_array(np.array([2**64 - 1], dtype=np.uint64), "x")


def test_samples_may_be_python_integers_of_any_size():
    assert beta.working([2**70, 5]).tolist() == beta.working([float(2**70), 5]).tolist()
    assert beta.working(10**30) == beta.working(1e30)
    for value in (HUGE, -HUGE, [1, -HUGE]):
        with pytest.raises(ValueError, match="is not a finite number >= 0"):
            beta.working(value)


def test_what_is_empty_or_ragged_is_said_to_be():
    for call in (lambda: beta.simulate([], 3), lambda: beta.after(1, [])):
        with pytest.raises(ValueError, match="is empty: give at least one number"):
            call()
    with pytest.raises(ValueError, match="D is not an array, its rows differ in length"):
        beta.working([[1], [2, 3]])


def test_checks_return_copies():
    """What a user changes later does not reach a model."""
    counts = np.array([3, 0, 0, 1])
    process = beta.after(10, counts)
    counts[:] = 0
    assert process.start.counts.tolist() == [3, 0, 0, 1]
    with pytest.raises(ValueError, match="read-only"):
        process.start.counts[0] = 9
    values = np.array([1, 2])
    assert increasing(values, "x") is not values
    assert at_least(np.array([1.0]), "x", minimum=0, why="").dtype == np.float64


def test_scalars_stay_scalars():
    assert type(shaped(np.array(2.5), 1)) is float
    assert shaped(np.ones((2, 3)), np.ones((2, 3))).shape == (2, 3)


@each_process
@pytest.mark.parametrize("law", ["silent", "working", "working_std", "missing_mass", "growth_rate", "noise_to_signal",
                                 "limit_error_bound", "cutoff"])  # fmt: skip
def test_laws_keep_the_shape_they_are_given(kind, law):
    function = getattr(kind(4, 0.5, 1.0), law)
    assert type(function(3)) is float
    assert function([]).shape == (0,)
    grid = np.array([[0, 1, 2], [3, 4, 10**9]])
    assert function(grid).shape == (2, 3)
    assert function(grid)[1, 2] == function(10**9)
    assert function(grid.tolist()).tolist() == function(grid).tolist()
    assert function(np.float32(2)) == function(2)


def test_failures_of_tasks_reach_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(run_tasks(lambda x: 1 // x, [1, 0], None))


def test_streams_are_functions_of_seed_and_key():
    seed = _random.root(3)
    words = {_random.stream(seed, *key).integers(2**63) for key in ((), (0,), (1,), (0, 0), (0, 1))}
    assert len(words) == 5
    assert _xoshiro.words(_random.stream(seed)).shape == (4,)


# -- never NaN -------------------------------------------------------------------------------------------


@each_process
@given(parameters=parameters(), D=samples() | st.just(5e-324))
def test_valid_input_gives_finite_results(kind, parameters, D):
    process = kind(*parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for law in ("silent", "working", "working_std", "missing_mass", "growth_rate", "limit_error_bound"):
            value = getattr(process, law)(D)
            assert math.isfinite(value), law
            assert value >= 0, law
        assert process.cutoff(D) >= 0
        assert math.isfinite(process.inflection())
        assert process.inflection() > 0


@each_process
@given(parameters=parameters(10**5), D=whole_samples())
@examples(0.2)
def test_valid_input_gives_laws_and_paths(kind, parameters, D):
    N, b, c = parameters
    process = kind(N, b) if kind is PolyaUrn else kind(N, b, c)
    law = process.count(D)
    assert 0 <= law.pmf(0) <= 1 + 1e-12
    assert law.mean() >= 0
    assert law.std() >= 0
    path = process.simulate([D], 2, rng=1)
    assert ((path.working >= 0) & (path.working <= N)).all()
    if N <= 1000 and kind is not GammaPoisson:
        counts = process.simulate([D], 1, rng=1, counts=True).counts
        assert ((counts >= 0) & (counts <= D)).all()


def test_a_copy_of_a_start_compares_equal_and_cannot_be_written_to():
    process = BetaBernoulli(3, 0.5, 1.0).after(2, [2, 1, 0])
    again = pickle.loads(pickle.dumps(process))  # noqa: S301 - our own bytes
    assert again == process
    assert hash(again) == hash(process)
    assert again != BetaBernoulli(3, 0.5, 1.0).after(2, [1, 2, 0])
    assert not again.start.counts.flags.writeable


@pytest.mark.parametrize("method", ["pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf"])
@pytest.mark.parametrize("of", ["count", "working_law"])
@pytest.mark.parametrize("process", [gamma, urn], ids=["gamma-Poisson", "urn"])
def test_laws_are_not_asked_about_what_is_no_number(process, of, method):
    """scipy ignores the mask, and returns NaN for NaN; both are refused here."""
    ask = getattr(getattr(process, of)(9), method)
    with pytest.raises(ValueError, match=r"has masked entries"):
        ask(np.ma.masked_greater([0, 1], 0))
    with pytest.raises(ValueError, match=r"is NaN"):
        ask([0.5, NAN])
    with pytest.raises(TypeError, match=r"must be a real number"):
        ask("1")
    assert np.isfinite(ask(1)) == np.isfinite(ask(np.ma.array([1], mask=[False]))[0])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, float])
def test_no_samples_have_no_numbers_whether_or_not_their_type_reaches_to_the_start(kind):
    assert GammaPoisson(4, 1.0, 2.0).after(300, [3, 1, 0, 0]).working(np.array([], dtype=kind)).shape == (0,)

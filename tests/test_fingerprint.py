"""A store belongs to what the functions of its run do, as far as that can be seen."""

import importlib
import os
import re
import subprocess
import sys
from collections import defaultdict, deque
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache, partial, singledispatch, update_wrapper, wraps
from importlib.util import find_spec
from operator import itemgetter, methodcaller
from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp
from scipy import sparse
from scipy.interpolate import CubicSpline

from statnn import Network, rg, sweep
from statnn._archive.fingerprint import fingerprint
from statnn._archive.store import StoreError
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo import Metropolis, sample
from statnn.montecarlo._checkpoint import described
from statnn.network import Activation

FACTOR = 1.0
PAIR = BinaryNeurons([[0, 1], [1, 0]])


def scaled(states, factor=1.0, *, more=0.0):
    return factor * states[..., 0] + more


def around(states):
    return FACTOR * helper(states)


def helper(states):
    return states[..., 0]


@dataclass(frozen=True, slots=True)
class Slotted:
    factor: float

    def __call__(self, states):
        return self.factor * states[..., 0]


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, states):
        return self.factor * states[..., 0]

    def measured(self, states):
        return self.factor * states[..., 0]

    def plain(self, x):
        return self.factor * x


class WorkedOut(Scaled):
    @cached_property
    def root(self):
        return self.factor**0.5

    def __call__(self, states):
        return self.root * states[..., 0]


class Around:
    """An object that calls a function, named `func` as in partial ones, and has a factor of its own."""

    def __init__(self, factor, *, wrapping=False):
        self.factor = factor
        self.func = scaled
        if wrapping:
            update_wrapper(self, scaled)

    def __call__(self, states):
        return self.factor * self.func(states)


class Partial(partial):
    """A partial function of a user's own, with more in it."""


def with_more(value):
    bound = Partial(scaled)
    bound.more = value
    return bound


def of_class(value):
    class Helped:
        factor = value

        def __call__(self, states):
            return self.helper(states)

        def helper(self, states):
            return self.factor * states[..., 0]

    return Helped()


def closed(value):
    def measured(states):
        return value(states)

    return measured


def with_attribute(value):
    def measured(states):
        return measured.factor * states[..., 0]

    measured.factor = value
    return measured


def by_keyword(value):
    def measured(states, *, factor=value):
        return factor * states[..., 0]

    return measured


def decorated(value):
    @wraps(scaled)
    def measured(states):
        return value * scaled(states)

    return measured


PAIRS = {
    "partial": lambda value: partial(scaled, factor=value),
    "partial of a partial": lambda value: partial(partial(scaled, factor=value), more=1.0),
    "default of a keyword": by_keyword,
    "default": lambda value: lambda states, factor=value: factor * states[..., 0],
    "callable object": Scaled,
    "bound method": lambda value: Scaled(value).measured,
    "closure over a function": lambda value: closed(lambda states: value * states[..., 0]),
    "closure over an object": lambda value: closed(Scaled(value)),
    "array as default": lambda value: by_keyword(np.array([value])),
    "decorated": decorated,
    "attribute": with_attribute,
    "single dispatch": lambda value: singledispatch(by_keyword(value)),
    "cached": lambda value: lru_cache(by_keyword(value)),
    "vectorised": lambda value: np.vectorize(by_keyword(value)),
    "made a ufunc": lambda value: np.frompyfunc(by_keyword(value), 1, 1),
    "object with slots": Slotted,
    "value of a class": of_class,
    "getter": lambda value: itemgetter((..., int(value))),
    "caller of a method": lambda value: methodcaller("sum", axis=int(value)),
    "spline": lambda value: CubicSpline([0.0, 1.0, 2.0], [0.0, value, 0.0]),
    "fraction": lambda value: closed(Fraction(value)),
    "bytes": lambda value: closed(bytes([int(value)])),
    "pattern": lambda value: closed(re.compile(str(value))),
    "entries with a default": lambda value: closed(defaultdict(float, factor=value)),
    "queue": lambda value: closed(deque([value])),
    "dates": lambda value: closed(np.array([int(value)], "M8[D]")),
    "set of objects": lambda value: closed({Fraction(value), Fraction(1, 3)}),
    "table": lambda value: closed(SimpleNamespace(factor=value, names={b"a"})),
    "object with a function": Around,
    "object around a function": lambda value: Around(value, wrapping=True),
    "partial of ones own": with_more,
    "types of a vectorised function": lambda value: np.vectorize(scaled, otypes=["f" if value == 1 else "d"]),
    "excluded of a vectorised function": lambda value: np.vectorize(scaled, excluded=["factor", "more"][: int(value)]),
    "deleter": lambda value: closed(property(helper, None, lambda _: value)),
    "axes of a vectorised function": lambda value: np.vectorize(scaled, signature="(n)->()" if value == 1 else None),
    "expression": lambda value: closed(sp.Symbol("x") * sp.Rational(int(value), 7)),
    "sparse matrix": lambda value: closed(sparse.coo_array([[value]])),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_functions_are_known_by_what_is_bound_to_them(kind):
    make = PAIRS[kind]
    assert fingerprint(make(1.0)) == fingerprint(make(1.0)) != fingerprint(make(2.0))


def test_tensors_count_by_their_values():
    torch = pytest.importorskip("torch")
    first, same, other = (fingerprint(closed(torch.full((2,), value))) for value in (0.5, 0.5, 0.25))
    assert first == same != other
    wide = torch.full((2,), 0.5, dtype=torch.bfloat16)  # numpy has no such type
    assert fingerprint(closed(wide)) == fingerprint(closed(wide))


def test_what_an_object_works_out_while_it_is_used_does_not_count():
    used, once = WorkedOut(2.0), sparse.csc_array(np.eye(3))
    before = fingerprint(used), fingerprint(closed(once))
    assert used(np.ones(2)) == used.root == 2.0**0.5
    assert once.has_canonical_format
    assert (fingerprint(used), fingerprint(closed(once))) == before


SAME_NAMES = {
    "a library": "import {} as roots\ndef known(state): return roots.sqrt(state)",
    "a setter": """
class Kept:
    @property
    def value(self):
        return self.held

    @value.setter
    def value(self, given):
        self.held = len('{}') * given

def known(state):
    kept = Kept()
    kept.value = state
    return kept.value
""",
}


@pytest.mark.parametrize("kind", SAME_NAMES)
def test_what_stands_behind_the_same_names_counts(kind):
    def made(word):
        names = {"__name__": "mine"}
        exec(SAME_NAMES[kind].format(word), names)  # noqa: S102 - our own
        return fingerprint(names["known"])

    assert made("math") == made("math") != made("cmath")


@pytest.mark.parametrize("kind", [dict, list, tuple, set, str])
def test_classes_of_containers_count(kind):
    first, second = (type("Own", (kind,), {"default": k})() for k in (1, 2))
    assert fingerprint(partial(len, first)) != fingerprint(partial(len, second))
    assert fingerprint(partial(len, defaultdict(list))) != fingerprint(partial(len, defaultdict(int)))


def test_what_stands_under_try_counts():
    def within(states):
        try:
            first = scaled(states)
            both = scaled(first)
        except ValueError:
            return 0.0
        return both

    def behind(states):
        try:
            first = scaled(states)
        except ValueError:
            return 0.0
        else:
            both = scaled(first)
        return both

    assert within.__code__.co_consts == behind.__code__.co_consts
    behind.__qualname__ = within.__qualname__
    assert fingerprint(within) != fingerprint(behind)


def test_whole_numbers_of_any_length_count():
    def multiple_of(value):
        return lambda states: value * states[..., 0]

    assert fingerprint(multiple_of(10**5000)) == fingerprint(multiple_of(10**5000))
    assert fingerprint(multiple_of(10**5000)) != fingerprint(multiple_of(10**5000 + 1))


def test_a_variable_that_has_no_value_yet_is_none():
    def measured(states):
        return factor * states[..., 0]

    before = fingerprint(measured)
    factor = 2.0
    assert fingerprint(measured) != before


@pytest.mark.parametrize("folder", ["here", "site-packages", "dist-packages"])
def test_functions_of_a_module_of_ones_own_are_looked_into(folder, tmp_path, monkeypatch):
    """If the module were left out, a store would be resumed though a helper in it has changed."""
    (tmp_path / folder).mkdir()
    monkeypatch.syspath_prepend(tmp_path / folder)
    (tmp_path / folder / f"own_{folder[:4]}.py").write_text("def helper(states):\n    return 1.0 * states[..., 0]\n")
    helpers = importlib.import_module(f"own_{folder[:4]}")

    def measured(states):
        return helpers.helper(states)

    before = fingerprint(measured)
    monkeypatch.setattr(helpers, "helper", lambda states: 2.0 * states[..., 0])
    assert (fingerprint(measured) != before) == (folder == "here")  # installed modules are left out


MANY = "".join(f"states.name{k}; " for k in range(300))  # so many that their numbers need two bytes
IMPORTS = {
    "a module": "import own_rooms.helpers\n    return own_rooms.helpers.helper(states)",
    "a module by another name": "import own_rooms.helpers as there\n    return there.helper(states)",
    "a function": f"{MANY}from own_rooms.helpers import helper\n    return helper(states)",
    "out of a package": "from own_rooms import helpers\n    return helpers.helper(states)",
    "in a function inside": "def inner():\n        from own_rooms.helpers import helper as there\n"
    "        return there(states)\n    return inner()",
    "a relative name": "from .helpers import helper\n    return helper(states)",
    "a neighbour": "from . import helpers\n    return helpers.helper(states)",
}


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A package of one's own, which no other test has imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # files that change within a second have the same old bytes
    (tmp_path / "own_rooms").mkdir()
    yield tmp_path / "own_rooms"
    forget_rooms()


def forget_rooms():
    for name in [name for name in sys.modules if name.partition(".")[0] == "own_rooms"]:
        del sys.modules[name]


@pytest.mark.parametrize("kind", IMPORTS)
def test_modules_that_a_function_imports_when_it_is_called_are_looked_into(kind, rooms):
    """Whether they have been imported yet makes no difference."""
    text = f"def measured(states):\n    import no_such_module_here\n    {IMPORTS[kind]}\n"
    (rooms / "measured.py").write_text(text)
    seen = []
    for factor, first in ((1.0, "measured"), (1.0, "helpers"), (2.0, "measured")):
        forget_rooms()
        (rooms / "helpers.py").write_text(f"def helper(states):\n    return {factor} * states[..., 0]\n")
        importlib.import_module(f"own_rooms.{first}")
        seen.append(fingerprint(importlib.import_module("own_rooms.measured").measured))
    assert seen[0] == seen[1] != seen[2]


def test_libraries_that_a_function_would_import_are_left_alone():
    def measured(states):
        import antigravity

        return antigravity, states

    assert fingerprint(measured)
    assert "antigravity" not in sys.modules


def test_functions_are_known_by_what_they_do():
    by_name = lambda states: states, lambda *, function: function, lambda *, other: other
    assert len({fingerprint(function) for function in (scaled, helper, around, *by_name, np.mean, np.abs)}) == 8


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda a, b: a - b, lambda b, a: b - a),
        (lambda a: a, lambda *a: a),
        (lambda *a: a, lambda **a: a),
        (lambda a, b: a * b, lambda a, *, b: a * b),
        (closed([helper, [scaled]]), closed([[helper], scaled])),
        (closed([helper, scaled, helper]), closed([helper, scaled, scaled])),
        (closed([helper, []]), closed([helper])),
    ],
)
def test_functions_are_known_by_how_they_are_called_and_what_stands_where(first, second):
    assert fingerprint(first).split()[-1] != fingerprint(second).split()[-1]


def test_what_a_function_keeps_while_it_is_used_does_not_count():
    known = singledispatch(helper)
    before = fingerprint(known)
    known(np.zeros((1, 2)))
    assert fingerprint(known) == before


def test_attributes_of_an_object_have_no_order():
    ways = {"a": helper, "b": scaled}, {"b": scaled, "a": helper}, {"a": scaled, "b": helper}
    first, same, other = (fingerprint(closed(SimpleNamespace(**parts))) for parts in ways)
    assert first == same != other


def test_functions_are_known_by_what_stands_around_them(monkeypatch):
    before = fingerprint(around)
    monkeypatch.setitem(globals(), "FACTOR", 2.0)
    other = fingerprint(around)
    monkeypatch.setitem(globals(), "FACTOR", 1.0)
    assert fingerprint(around) == before != other
    monkeypatch.setitem(globals(), "helper", lambda states: 2 * states[..., 0])
    assert fingerprint(around) not in (before, other)


def test_a_run_does_not_go_on_with_another_observable(tmp_path):
    """The store of one factor would be read as that of the other, silently."""
    once, twice = (partial(scaled, factor=factor) for factor in (1.0, 2.0))
    run = sample(PAIR, 100, chains=2, rng=1, store=tmp_path / "work", observables={"first": once})
    with pytest.raises(StoreError, match="observables is"):
        sample(PAIR, 100, chains=2, rng=1, store=tmp_path / "work", observables={"first": twice})
    assert sample(PAIR, 100, chains=2, rng=1, store=tmp_path / "work", observables={"first": once}) == run


def bent(slope):
    """Return an activation of any slope under one name, by which files know it."""
    return Activation("bent", lambda h: np.tanh(slope * h), lambda h: slope / np.cosh(slope * h) ** 2)


def neurons(slope):
    return DynamicNeurons(Network([np.ones((2, 2))], None, bent(slope)), np.ones((1, 2)), np.zeros((1, 2)))


class Still(Metropolis):
    """A sampler of one's own, whose text says nothing of what it does."""


WORK = {
    "run": lambda slope, store: sample(neurons(slope), 2, chains=1, burn_in=0, rng=1, store=store).draws["energy"],
    "wide layers": lambda slope, store: (
        rg.RandomLayer(bent(slope), 1.5).simulate(2, 9, replicas=2, rng=1, store=store).variance
    ),
    "observable": lambda slope, store: sample(
        PAIR, 2, rng=1, store=store, observables={"bent": closed(bent(slope))}
    ).draws["bent"],
}


@pytest.mark.parametrize("kind", WORK)
def test_functions_inside_of_models_count_by_what_they_do(kind, tmp_path):
    """Files know activations by their names, by which a store of one would be resumed with the other."""
    once = WORK[kind](1.0, tmp_path / "work")
    assert np.array_equal(WORK[kind](1.0, tmp_path / "work"), once)
    with pytest.raises(StoreError, match="holds other work"):
        WORK[kind](2.0, tmp_path / "work")


def test_points_of_a_sweep_are_told_by_the_functions_in_them(tmp_path):
    points = [{"sigma": bent(slope)} for slope in (1.0, 2.0)]
    swept = [sweep(value_at_one, some, store=tmp_path / "work", rng=1) for some in (points[:1], points)]
    assert [part.results for part in swept] == [(np.tanh(1.0),), (np.tanh(1.0), np.tanh(2.0))]


def test_random_numbers_of_a_point_know_functions_by_their_names():
    """What they do is seen in their bytecode, which differs between versions of Python."""
    first, second = (sweep(drawn, [{"sigma": bent(slope)}], rng=1).results for slope in (1.0, 2.0))
    assert first == second != sweep(drawn, [{"sigma": "tanh"}], rng=1).results


def drawn(sigma, rng):
    return sigma is not None, rng.random()


def value_at_one(sigma):
    return float(sigma(1.0))


def test_a_sampler_of_ones_own_counts_by_what_it_does(monkeypatch):
    before = described(Still())
    assert described(Still()) == before
    monkeypatch.setattr(Still, "moves", lambda _: None, raising=False)
    assert described(Still()) != before


@pytest.mark.parametrize(
    "make",
    [lambda k: lambda x: k * x, lambda k: Scaled(k).plain, lambda k: np.vectorize(lambda x: k * x)],
    ids=["lambda", "method", "vectorised"],
)
def test_a_sweep_does_not_go_on_with_another_function_of_the_same_name(make, tmp_path):
    """The results of the first would come back as those of the second."""
    assert sweep(make(1), {"x": [3]}, store=tmp_path / "work", rng=1).results == (3,)
    with pytest.raises(StoreError, match="function is"):
        sweep(make(2), {"x": [3]}, store=tmp_path / "work", rng=1)
    assert sweep(make(1), {"x": [3]}, store=tmp_path / "work", rng=1).results == (3,)


KNOWN = {
    "a set in code": "def known(state): return state in {'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'}",
    "a law of scipy": "from scipy import stats; law = stats.norm(1.5); known = lambda state: law.cdf(state)",
    "a tensor": "import torch; factor = torch.ones(2); known = lambda state: state @ factor.numpy()",
    "a module": "import torch; net = torch.nn.Linear(2, 1); net.weight.data.fill_(0.5); net.bias.data.fill_(0.0)\n"
    "known = lambda state: net(torch.as_tensor(state)).detach()",
}


def test_what_is_known_is_the_same_in_every_process():
    """Orders of sets, addresses of tensors and the random state of numpy are not: resumed runs would be refused."""
    kinds = [kind for kind, code in KNOWN.items() if "torch" not in code or find_spec("torch")]
    program = "from statnn._archive.fingerprint import fingerprint\n"
    program += "".join(f"{KNOWN[kind]}\nprint(fingerprint(known))\n" for kind in kinds)
    seen = []
    for seed in "123":
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
        )
        seen.append(done.stdout.splitlines())
    assert {kind: len(set(known)) for kind, *known in zip(kinds, *seen, strict=True)} == dict.fromkeys(kinds, 1)
    assert len(set(seen[0])) == len(kinds)

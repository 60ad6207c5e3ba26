"""A store belongs to what the functions of its run do: to all of it that can be seen."""

import os
import subprocess
import sys
from functools import lru_cache, partial, wraps

import numpy as np
import pytest

from statnn import sweep
from statnn._archive.fingerprint import fingerprint
from statnn._archive.store import StoreError
from statnn.interaction import BinaryNeurons
from statnn.montecarlo import sample

FACTOR = 1.0
PAIR = BinaryNeurons([[0, 1], [1, 0]])


def scaled(states, factor=1.0, *, more=0.0):
    return factor * states[..., 0] + more


def around(states):
    return FACTOR * helper(states)


def helper(states):
    return states[..., 0]


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, states):
        return self.factor * states[..., 0]

    def measured(self, states):
        return self.factor * states[..., 0]


def closed(value):
    def measured(states):
        return value(states)

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
    "cached": lambda value: lru_cache(by_keyword(value)),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_functions_are_known_by_what_is_bound_to_them(kind):
    make = PAIRS[kind]
    assert fingerprint(make(1.0)) == fingerprint(make(1.0)) != fingerprint(make(2.0))


def test_functions_are_known_by_what_they_do():
    prints = [fingerprint(one) for one in (scaled, helper, around, lambda states: states, np.mean, np.abs)]
    assert len(set(prints)) == len(prints)


def test_functions_are_known_by_what_stands_around_them(monkeypatch):
    before = fingerprint(around)
    monkeypatch.setitem(globals(), "FACTOR", 2.0)
    other = fingerprint(around)
    monkeypatch.setitem(globals(), "FACTOR", 1.0)
    assert fingerprint(around) == before != other
    monkeypatch.setitem(globals(), "helper", lambda states: 2 * states[..., 0])
    assert fingerprint(around) not in (before, other)


def test_a_run_does_not_go_on_with_another_observable(tmp_path):
    """The store of one factor was read as that of the other, silently."""
    once, twice = (partial(scaled, factor=factor) for factor in (1.0, 2.0))
    found = sample(PAIR, 100, chains=2, rng=1, store=tmp_path / "work", observables={"first": once})
    with pytest.raises(StoreError, match="observables is"):
        sample(PAIR, 100, chains=2, rng=1, store=tmp_path / "work", observables={"first": twice})
    assert sample(PAIR, 100, chains=2, rng=1, store=tmp_path / "work", observables={"first": once}) == found


def test_a_sweep_does_not_go_on_with_another_partial(tmp_path):
    found = sweep(partial(pow, 2), {"exp": [1, 3]}, store=tmp_path / "work", rng=1)
    assert found.results == (2, 8)
    assert sweep(partial(pow, 2), {"exp": [1, 3, 4]}, store=tmp_path / "work", rng=1).results == (2, 8, 16)
    with pytest.raises(StoreError, match="function is"):
        sweep(partial(pow, 3), {"exp": [1, 3]}, store=tmp_path / "work", rng=1)


def test_sets_in_code_are_the_same_in_every_process():
    """Their order depends on the process, and resumed runs were refused."""
    program = (
        "from statnn._archive.fingerprint import fingerprint\n"
        "def known(state, kind='a'): return kind in {'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'}\n"
        "print(fingerprint(known))"
    )
    seen = set()
    for seed in "123":
        told = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=told)  # noqa: S603
        seen.add(done.stdout)
    assert len(seen) == 1

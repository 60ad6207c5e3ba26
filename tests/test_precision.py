"""mpmath has one precision for all of a process: neither what a user sets nor another thread changes results."""

import os
import subprocess
import sys
from contextlib import contextmanager
from math import comb
from threading import Thread

import mpmath
import numpy as np
import pytest
import sympy as sp
from mpmath import iv

from statnn import theory
from statnn.activation import PolyaUrn
from statnn.network import ACTIVATIONS
from statnn.rg import RepeatedLayer
from statnn.theory.browse import _built
from statnn.theory.enclosure import sign_on_boxes
from statnn.theory.precision import alone, converged

K, N, D = sp.symbols("K N D", positive=True)
LESS = theory.inequality(
    "A hyperbolic tangent is less than one.", 1, sp.tanh(K), 2 / (sp.exp(2 * K) + 1), written="<",
    by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
)  # fmt: skip
LIMIT = theory.limit("It comes to it.", sp.Limit(sp.tanh(K), K, sp.oo), 1)
QUESTIONS = {
    "evaluate": lambda: theory.formula("gamma-poisson.working").evaluate(D=100, N=1000, b=0.3, c=5, digits=40),
    "integral": lambda: theory.formula("onsager.log-partition").evaluate(K="0.3", digits=20),
    "function": lambda: theory.formula("onsager.log-partition").function()(K=0.3),
    "substitute": lambda: theory.formula("gamma-poisson.working").substitute(D=100, b="0.3"),
    "check": LESS.check,
    "limit": LIMIT.check,
    "enclosure": lambda: LESS.enclosure,
    "compare": lambda: repr(theory.compare("gamma-poisson.working", D)),
    "converged": lambda: converged(mpmath.exp, (1,), 30),
}


@contextmanager
def disturbed():
    """Set mpmath to six digits at every call of a function, as a thread of somebody else might."""

    def disturb(*_):
        mpmath.mp.prec = 20

    with mpmath.workprec(53):
        sys.setprofile(disturb)
        try:
            yield
        finally:
            sys.setprofile(None)


def test_the_law_of_an_urn_keeps_its_digits():
    """For b = 1 all ways to share out n events are equally likely: P(k) = C(N, k) C(n-1, k-1) / C(N+n-1, n)."""
    neurons, events = 30, 10**9
    with disturbed():
        law = PolyaUrn(neurons, b=1.0).working_law(events).pmf(np.arange(25, 31))
    ways = [comb(neurons, k) * comb(events - 1, k - 1) for k in range(25, 31)]
    assert law == pytest.approx([way / comb(neurons + events - 1, events) for way in ways], rel=1e-9, abs=0)


@pytest.mark.parametrize(("name", "w", "near"), [("tanh", 1.0001, 0.017), ("silu", 1.9, 0.05)])
def test_fixed_points_keep_their_digits(name, w, near):
    with disturbed():
        points = [x for x, _ in RepeatedLayer(name, w, 0.0).rest_points()]
    with mpmath.workdps(40):
        exact = ACTIVATIONS[name].exactly
        wanted = mpmath.findroot(lambda x: exact(w * x) - x, near)
    assert min(points, key=lambda x: abs(x - near)) == pytest.approx(float(wanted), rel=1e-15, abs=0)


def test_series_keep_their_digits():
    with disturbed():
        series = ACTIVATIONS["tanh"].series(0.75, 2, digits=31)
    with mpmath.workdps(30):
        assert abs(series[1] - mpmath.sech(mpmath.mpf(0.75)) ** 2) < 1e-29


@pytest.mark.parametrize("digits", [2, 400])
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_a_user_has_set_changes_nothing_and_stays(name, digits):
    wanted = QUESTIONS[name]()
    sign_on_boxes.cache_clear()
    before, iv.dps = iv.prec, digits
    try:
        with mpmath.workdps(digits):
            answer = QUESTIONS[name]()
            assert (mpmath.mp.dps, iv.dps) == (digits, digits)
    finally:
        iv.prec = before
    assert answer == wanted


@pytest.mark.parametrize("name", QUESTIONS)
def test_where_a_user_lets_sympy_evaluate_nothing_all_is_as_before(name):
    wanted = QUESTIONS[name]()
    with sp.evaluate(x=False):
        assert QUESTIONS[name]() == wanted


def test_derivations_are_made_as_they_are_wherever_they_are_first_asked_for():
    kept = theory.derivation("swap")
    _built.cache_clear()
    with sp.evaluate(x=False):
        made = theory.derivation("swap")
        made.check()
    assert made == kept
    assert str(made) == str(kept)


@pytest.mark.parametrize("name", QUESTIONS)
def test_threads_that_set_it_wait_for_each_other(name):
    thread = Thread(target=QUESTIONS[name])
    with alone():
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    thread.join()


FORKED = """
import os, threading
from statnn.theory.enclosure import sign_on_boxes
from statnn.theory.precision import alone
held, leave = threading.Event(), threading.Event()
def work():
    with alone():
        held.set()
        leave.wait(0.1)
threading.Thread(target=work).start()
held.wait()
child = os.fork()
if not child:
    with alone():
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_begun_meanwhile_waits_for_nobody():
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "7\n"  # noqa: S603

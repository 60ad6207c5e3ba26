"""Tables: what results say in rows of plain numbers, whatever room they come from."""

import json
import math
from dataclasses import dataclass, is_dataclass, replace
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from test_values import MAKERS

from statnn import activation, rg, sweep, theory
from statnn.interaction import BinaryNeurons
from statnn.io import table
from statnn.measure import spikes
from statnn.montecarlo import UntrustedEstimate, estimate, sample

NO_ROWS = {"Network", "Trace", "BinaryNeurons", "DynamicNeurons", "State", "Ancestral", "Intervals", "Gaussian"}
"""Results without single numbers, and with arrays of several shapes or none."""


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rows_hold_what_results_say(name):
    """Results of one row show their properties with their fields; results without a number for a row are refused."""
    value = MAKERS[name]()
    if name in NO_ROWS:
        with pytest.raises(ValueError, match=f"{name} has no single numbers for a row"):
            table(value)
        return
    rows = table(value)
    assert all(rows)
    assert json.loads(json.dumps(rows, allow_nan=True)) is not None
    if len(rows) == 1 and is_dataclass(value) and not hasattr(value, "_rows"):
        for key, what in vars(type(value)).items():
            number = isinstance(what, property) and not key.startswith("_") and np.ndim(getattr(value, key)) == 0
            if number and isinstance(getattr(value, key), int | float | str):
                assert key in rows[0]


def test_rows_of_several_laws_and_of_points():
    compared = MAKERS["Comparison"]()
    rows = table(compared)
    assert [row["law"] for row in rows] == [type(fit.process).__name__ for fit in compared.fits]
    assert [(row["b_error"], row["weight"]) for row in rows] == [
        (fit.b_error, weight) for fit, weight in zip(compared.fits, compared.weights, strict=True)
    ]
    without = activation.Comparison(compared.fits[:1], compared.aic[:1], {"PolyaUrn": "why"})
    assert table({"x": without})[1] == {"name": "x"} | dict.fromkeys(rows[0]) | {"law": "PolyaUrn", "reason": "why"}
    assert table(sweep(lambda a: a and compared, {"a": [1]}))[0]["result.0.b_error"] == compared.best.b_error
    curve = MAKERS["Rarefaction"]()
    rows = table(curve)
    assert [[row[name] for row in rows] for name in ("at", "working", "std")] == [
        values.tolist() for values in (curve.at, curve.working, curve.std)
    ]
    plane = rg.phase_diagram("tanh", [0.5, 1.5], [0.0, 0.1, 0.2])
    for rows, inside in ((table(plane, by="chi"), ""), (table([{"x": plane}], by="x.chi"), "x.")):
        places = [(row[f"{inside}sigma_w"], row[f"{inside}sigma_b"]) for row in rows]
        assert places == [(w, b) for w in (0.5, 1.5) for b in (0.0, 0.1, 0.2)]
        assert [row[f"{inside}chi"] for row in rows] == plane.chi.ravel().tolist()
    assert [row["sigma_b"] for row in table(plane, by="sigma_b")] == [0.0, 0.1, 0.2]
    assert "sigma_w" not in table(plane, by="sigma_b")[0]
    point = table(rg.RandomLayer("tanh", 1.5, 0.1).fixed_point())[0]
    assert point["xi_correlation"] > 0
    assert [name for name in point if "activation" in name] == ["layer.activation.name"]
    with pytest.raises(ValueError, match=r"Gaussian has no single numbers for a row.*by=: mean, covariance"):
        table(MAKERS["Gaussian"]())


def test_rows_of_runs_are_estimates_with_what_speaks_against_them():
    chain = BinaryNeurons(np.diag(np.ones(3), 1) + np.diag(np.ones(3), -1))
    run = sample(chain, 600, chains=2, rng=1, observables={"s": lambda s: s, "m": lambda s: s.sum(axis=-1)})
    with pytest.warns(UntrustedEstimate):
        estimates = {name: estimate(run.draws[name][:, :20], name) for name in ("s", "m")}
    short = replace(run, draws={name: draws[:, :20] for name, draws in run.draws.items()})
    rows = table(short)
    assert [(row["observable"], row.get("index.0")) for row in rows] == [
        ("s", 0),
        ("s", 1),
        ("s", 2),
        ("s", 3),
        ("m", None),
    ]
    for key in ("mean", "error", "tau", "tau_sokal", "ess", "rhat"):
        assert [row[key] for row in rows] == [*getattr(estimates["s"], key), getattr(estimates["m"], key)]
    assert {row["warning"] for row in rows} == {str(measured.warning) for measured in estimates.values()}
    (point,) = table(sweep(lambda temperature: short, [{"temperature": 2.0}]))  # noqa: ARG005
    assert point["result.m.mean"] == estimates["m"].mean
    assert point["result.m.warning"] == str(estimates["m"].warning)
    assert {row["complete"] for row in rows} == {point["result.complete"]} == {True}
    assert {row["complete"] for row in table(replace(short, complete=False))} == {False}
    for name, results in (
        ("draws.m", short),
        ("x.draws.m", [{"x": short}]),
        ("result.draws.m", sweep(lambda a: short, [{"a": 1}])),  # noqa: ARG005
    ):
        assert [row[name] for row in table(results, by=name)] == short.draws["m"].ravel().tolist()
    none = table(replace(run, draws={"m": run.draws["m"][:, :3]}))
    assert [(row["mean"], row["warning"]) for row in none] == [
        (None, "draws have shape (2, 3); an estimate needs (chains, at least 4 draws, ...)")
    ]


def test_rows_of_estimates_have_what_speaks_against_them():
    """Those of one number and of several, alone, by name, of a sweep, and where an array is chosen."""
    draws = np.random.default_rng(1).normal(size=(2, 8, 3))
    with pytest.warns(UntrustedEstimate, match="R-hat|draws"):
        single, several = estimate(draws[..., 0], "m"), estimate(draws, "s")
    sure = estimate(np.random.default_rng(1).normal(size=(4, 1000)), "m")
    (row,) = table(single)
    assert row == {name: getattr(single, name) for name in row} | {"warning": str(single.warning)}
    assert [row["warning"] for row in table([single, sure])] == [str(single.warning), None]
    for rows, head in (
        (table(several), ""),
        (table({"x": several}), ""),
        (table(several, by="mean"), ""),
        (table(sweep(lambda a: several, [{"a": 1}])), "result."),  # noqa: ARG005
    ):
        assert [row[f"{head}mean"] for row in rows] == several.mean.tolist()
        assert [row[f"{head}warning"] for row in rows] == [str(several.warning)] * 3
    json.dumps(table(several))


def test_rows_of_sweeps_whose_results_are_arrays_are_their_entries():
    rows = table(
        sweep(
            lambda a, layer: a * layer.sigma_w * np.arange(2.0), {"a": [1, 2], "layer": [rg.RandomLayer("tanh", 1.0)]}
        )
    )
    assert [(row["a"], row["index.0"], row["result"]) for row in rows] == [(1, 0, 0), (1, 1, 1), (2, 0, 0), (2, 1, 2)]
    pairs = sweep(lambda a: {"x": np.ones(2), "y": np.ones(a)}, {"a": [3]})
    with pytest.raises(
        ValueError, match=r"no single numbers for a row; choose one of its arrays with by=: result\.x, result\.y"
    ):
        table(pairs)
    assert table(pairs, by="result.x") == [{"a": 3, "index.0": k, "result.x": 1.0} for k in (0, 1)]
    assert table(sweep(lambda a: None, {"a": [3]})) == [{"a": 3, "result": None}]  # noqa: ARG005
    for nothing in (np.ones(0), rg.RandomLayer("tanh", 1.0).simulate):
        assert table(sweep(lambda a: nothing, {"a": [3, 4]})) == [{"a": 3}, {"a": 4}]  # noqa: ARG005, B023
    of_array = table(sweep(lambda a: a[:2] * 2, [{"a": np.arange(3.0)}]))
    assert [row["result"] for row in of_array] == [0, 2]
    named = {key: sweep(lambda name: 2.0, {"name": [1]}) for key in "uv"}  # noqa: ARG005
    assert [(row["name"], row["result.name"], row["result"]) for row in table(named)] == [("u", 1, 2.0), ("v", 1, 2.0)]


def test_a_property_of_anyones_that_fails_has_no_cell():
    @dataclass
    class Half:
        x: float
        _rows: int = 3

        @property
        def inverse(self):
            return 1 / self.x

    assert table([Half(0.0), Half(2.0)]) == [{"x": 0.0, "inverse": None}, {"x": 2.0, "inverse": 0.5}]


def test_columns_of_a_kind_are_followed_by_those_of_its_own():
    """So tables of both have the same columns in the same order, as far as both have them."""

    @dataclass
    class Disc:
        radius: float

        @property
        def area(self):
            return 3 * self.radius**2

    class Cylinder(Disc):
        @property
        def volume(self):
            return 2 * self.area

    assert [list(row) for row in table([Disc(1.0), Cylinder(1.0)])] == [
        ["radius", "area"],
        ["radius", "area", "volume"],
    ]


def test_masked_entries_have_no_number():
    """A unit that is silent has no Fano factor, which is not one of zero."""
    statistics = spikes.from_window_counts([[1, 0], [3, 0], [2, 0]], window=10)
    assert [row["fano_factor"] for row in table(statistics, by="fano_factor")] == [pytest.approx(1 / 3), None]


def test_numbers_of_other_libraries_are_numbers():
    """Formulas give sympy's, of as many digits as were asked for."""
    formula = theory.formula("gamma-poisson.working")
    swept = sweep(lambda D: formula.evaluate(digits=50, D=D, N=1000, b=1, c=5), {"D": [200, 1800]})
    assert table(swept) == [{"D": 200, "result": 500.0}, {"D": 1800, "result": 900.0}]
    numbers = {"a": Fraction(1, 4), "b": Decimal("0.1"), "c": mpmath.mpf(10) ** 400, "d": sympy.Integer(2**70)}
    assert table([numbers]) == [{"a": 0.25, "b": 0.1, "c": math.inf, "d": 2**70}]
    several = {"x": [np.int64(3), Fraction(1, 2)], "y": (np.float32(0.5), np.True_)}
    assert table([several]) == [{"index.0": 0, "x": 3.0, "y": 0.5}, {"index.0": 1, "x": 0.5, "y": 1.0}]


@pytest.mark.parametrize(
    ("results", "name"),
    [
        ([{"a.b": 1, "a": {"b": 2}}], "a.b"),
        ([{"x": {1: 2.0, "1": 3.0}}], "x.1"),
        (sweep(lambda **_: {"mean": 2.0}, [{"result.mean": 1}]), "result.mean"),
    ],
)
def test_no_column_hides_another(results, name):
    with pytest.raises(ValueError, match=f"'{name}' is the name of two columns"):
        table(results)

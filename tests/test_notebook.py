"""Every result shows itself in a notebook as a small, well-formed table, whatever its size."""

import importlib
import inspect
import pkgutil
from dataclasses import dataclass, is_dataclass
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import statnn
from statnn import rg
from statnn._by_value import ByValue
from statnn._notebook import Shown, cell
from statnn._text import p_value, with_error
from statnn.activation import PolyaUrn, compare, fit
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.measure.tangent import tangent_kernel
from statnn.montecarlo import Method, estimate, sample
from statnn.network import ACTIVATIONS, Activation, BatchNorm, Network
from statnn.testing import check_activation
from statnn.testing.statistics import z_score

INPUTS = {
    "BatchNorm",
    "Activation",
    "Prior",
    "SquareLattice",
    "Operator",
    "RepeatedLayer",
    "RandomLayer",
    "RandomStack",
}
"""Classes that users make themselves, and that a line of text shows, as it does processes and methods."""


def public():
    kinds = set()
    for module in pkgutil.walk_packages(statnn.__path__, "statnn."):
        if module.name.endswith("__main__") or "._" in module.name or module.name.startswith("statnn.theory"):
            continue  # derivations show themselves in mathematics
        room = importlib.import_module(module.name)
        every = (getattr(room, name) for name in getattr(room, "__all__", ()))
        kinds |= {kind for kind in every if inspect.isclass(kind) and is_dataclass(kind)}
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__name__))


@pytest.mark.parametrize("kind", public(), ids=lambda kind: kind.__name__)
def test_every_result_has_a_table(kind):
    made_by_users = kind.__name__ in INPUTS or issubclass(kind, Method) or hasattr(kind, "working")
    assert hasattr(kind, "_repr_html_") or made_by_users or kind.__name__ == "Ledger"


COUNTS = [0, 0, 1, 0, 2, 0, 0, 9, 3, 0]
RESULTS = {
    "estimate": lambda: estimate(np.random.default_rng(1).normal(size=(4, 500))),
    "run": lambda: sample(square_lattice(4, 4, temperature=3.0), 50, rng=1),
    "fit": lambda: fit(COUNTS, 20, rng=1),
    "comparison": lambda: compare(COUNTS, 20, replicas=25, rng=1),
    "mean field": lambda: rg.RandomLayer("tanh", 1.5, 0.1).fixed_point(),
    "fixed point": lambda: rg.RandomLayer("tanh", 1.5).fixed_points()[0],
    "exponents": lambda: rg.exponents(rg.RandomLayer("tanh", 1.5).fixed_points()[-1]),
    "diagram": lambda: rg.phase_diagram("tanh", np.linspace(0.5, 3, 30), np.linspace(0, 1, 30)),
    "place": lambda: rg.place(Network.random([20, 30, 30, 3], activation="tanh", rng=0)),
    "laws": lambda: check_activation(ACTIVATIONS["tanh"], rng=1),
    "exact": lambda: BinaryNeurons(np.ones((8, 8)) - np.eye(8)).exact(),
    "signals": lambda: rg.RandomLayer("tanh", 1.5, 0.1).finite_width(1.0, 3),
    "paths": lambda: PolyaUrn(4000, 0.3).simulate([1, 10], replicas=3, counts=True, rng=1),
    "tangent": lambda: tangent_kernel(Network.random([3, 2], rng=0), np.eye(3)),
}


@pytest.mark.parametrize("name", RESULTS)
def test_tables_are_well_formed_and_small(name):
    text = RESULTS[name]()._repr_html_()
    table = ET.fromstring(text)  # noqa: S314 - our own
    assert table.tag == "table"
    assert table.find("caption").text
    rows = table.findall("tr")
    assert rows
    assert len({len(list(row)) for row in rows}) == 1
    assert all(row[0].tag == "th" for row in rows)
    assert len(text) < 6000
    assert "style" not in text


def test_errors_stand_beside_what_they_belong_to():
    measured = estimate(np.random.default_rng(1).normal(size=(4, 500)))
    cells = [element.text for element in ET.fromstring(measured._repr_html_()).iter("td")]  # noqa: S314 - our own
    assert cells[0] == f"{measured.mean:.3f} ± {measured.error:.3f}".replace("-", "−")
    assert "<td>2.00 ± 0.31</td>" in z_score(2.0, 0.31, 1.9)._repr_html_()
    run = sample(square_lattice(4, 4, temperature=3.0), 50, rng=1)
    rows = [[element.text for element in row] for row in ET.fromstring(run._repr_html_()).findall("tr")]  # noqa: S314 - our own
    assert rows[0] == ["observable", "mean", "τ", "ess", "R-hat", "warning"]
    assert [row[0] for row in rows[1:]] == ["energy", "magnetisation"]
    mean, error = map(float, rows[1][1].replace("−", "-").split(" ± "))
    assert error == pytest.approx(run.estimate("energy").error, rel=0.05)
    assert mean == pytest.approx(run.estimate("energy").mean, abs=error)


def test_runs_too_short_for_an_estimate_or_with_draws_that_are_not_finite_say_so():
    own = {"none": lambda states: np.where(states[:, 0] > 0, np.nan, 1.0), "first": lambda states: states[:, 0]}
    for sweeps, words in ((3, {"none": "at least 4 draws", "first": "at least 4 draws"}), (40, {"none": "hold NaN"})):
        run = sample(square_lattice(4, 4, temperature=3.0), sweeps, rng=1, observables=own)
        for row in ET.fromstring(run._repr_html_()).findall("tr")[1:]:  # noqa: S314 - our own
            name, mean, *_, warning = [element.text for element in row]
            assert (mean == "–") == (name in words)
            assert words.get(name, "") in warning


@dataclass(frozen=True, eq=False, repr=False)
class Pair(ByValue):
    name: str
    values: np.ndarray


def test_texts_are_escaped_and_long_ones_cut():
    assert "&lt;b&gt;" in Pair("<b>", np.zeros(2))._repr_html_()
    assert len(cell("x" * 1000)) < 110
    assert cell(np.zeros((300, 300))) == "300 × 300 numbers, 0 to 0"
    assert cell(np.array([2.0, np.nan, np.inf, 1.0] * 3)) == "12 numbers, 1 to ∞"
    assert cell(np.full(9, np.nan)) == "9 numbers"
    assert cell(np.arange(9) > 2) == "9 truth values, 6 of them true"
    assert [cell(list(range(n))) for n in (6, 7)] == ["0, 1, 2, 3, 4, 5", "7 entries"]
    assert [cell(np.arange(n)) for n in (6, 7)] == ["0, 1, 2, 3, 4, 5", "7 numbers, 0 to 6"]
    assert cell({"a": 1e-9, "b": None}) == "a: 1 × 10⁻⁹, b: –"
    assert cell(np.True_) == "yes"
    assert (cell(np.int64(3)), cell(np.float32(0.5)), cell(np.complex64(1j))) == ("3", "0.5", "1j")
    assert cell(np.ma.masked_less(np.arange(9.0), 2)) == "9 numbers, 2 to 8"
    assert cell(np.ma.masked_all(9)) == "9 numbers"
    assert cell([]) == "none"


@pytest.mark.parametrize(
    ("estimate", "error", "text"),
    [
        (1.0, 1e-14, "(1.000000000000000 ± 0.000000000000010) × 10⁰"),  # an error is never shown as zero
        (1e5, 2.5e-9, "(1.000000000000000 ± 0.000000000000025) × 10⁵"),
        (5e-324, 5e-324, "(0.50 ± 0.50) × 10⁻³²³"),
        (0.0, 1e-323, "(0.0 ± 1.0) × 10⁻³²³"),
        (1.5, np.inf, "1.5 ± ∞"),
        (1e-7, 0.01, "0.000 ± 0.010"),
        (1.5e-4, 1e-5, "0.000150 ± 0.000010"),
        (1.5e-5, 1e-6, "(1.50 ± 0.10) × 10⁻⁵"),
        (-np.inf, np.nan, "−∞ ± nan"),
    ],
)
def test_numbers_are_shown_with_errors_of_any_size(estimate, error, text):
    assert with_error(estimate, error) == text


def test_a_bound_of_a_p_value_is_one():
    assert [p_value(p) for p in (1.2e-300, 9e-301, 5e-324)] == ["p = 1.2 × 10⁻³⁰⁰", *["p < 10⁻³⁰⁰"] * 2]


def test_what_is_no_dataclass_shows_its_text():
    assert BinaryNeurons(np.zeros((3, 3)))._repr_html_() is None
    assert not issubclass(Activation, Shown)
    assert not issubclass(BatchNorm, Shown)

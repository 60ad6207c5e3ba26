"""Every result draws itself on the axes it is given, and on nothing else."""

import base64
import io
import pickle
import re
from functools import cache

import matplotlib as mpl
import numpy as np
import pytest
from drawn import faults
from fontTools.ttLib import TTFont
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from test_values import MAKERS, frozen_classes

from statnn import _axes, activation, plot, rg
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, compare, fit, rarefaction
from statnn.measure import growth


@cache
def counts():
    """Return counts of 200 samples, drawn inside of tests: else every worker would compile the kernel to collect."""
    return BetaBernoulli(60, 0.5, 6.0).simulate([200], rng=1, counts=True).counts[0, 0]


RESULTS = {
    "beta-Bernoulli": lambda: BetaBernoulli(50, 0.3, 5.0),
    "urn": lambda: PolyaUrn(50, 0.3),
    "gamma-Poisson": lambda: GammaPoisson(50, 0.3, 5.0),
    "after a start": lambda: GammaPoisson(3, 1.0, 2.0).after(10**4, [3, 0, 1]),
    "path": lambda: BetaBernoulli(50, 0.3, 5.0).simulate([1, 10, 100], 5, rng=1),
    "fit": lambda: fit(counts(), 200),
    "rarefaction": lambda: rarefaction(counts(), 200, [0, 1, 10, 100, 200]),
    "comparison": lambda: compare(counts(), 200, rng=1),
}
each_result = pytest.mark.parametrize("name", RESULTS)
OF_SEVERAL_PARTS = {"fit", "comparison"}
"""Pictures without a single curve to which a style could apply."""


@pytest.fixture(autouse=True)
def no_figure_is_left():
    plt.close("all")  # what a test before this one left
    yield
    open_figures = plt.get_fignums()
    plt.close("all")
    assert not open_figures


def content(ax):
    return len(ax.get_children())


def test_no_result_is_forgotten():
    """Whatever the room offers and can be drawn is drawn here."""
    can = {name for name in activation.__all__ if hasattr(getattr(activation, name), "plot")}
    assert can == {type(make()).__name__ for make in RESULTS.values()}


@each_result
def test_draws_on_the_axes_given_and_nowhere_else(name):
    figure = Figure()
    ax, other = figure.subplots(1, 2)
    before, state = content(ax), dict(mpl.rcParams)
    untouched = content(other), other.get_xlabel(), other.get_xscale(), other.has_data()
    assert RESULTS[name]().plot(ax) is ax
    assert content(ax) > before
    assert ax.has_data()
    assert (content(other), other.get_xlabel(), other.get_xscale(), other.has_data()) == untouched
    assert figure.axes == [ax, other]
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == state
    figure.draw_without_rendering()  # what cannot be rendered fails here


@each_result
def test_axes_say_what_they_show(name):
    ax = RESULTS[name]().plot(Figure().add_subplot())
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.get_xscale() == "log"
    assert [label for label in ax.get_legend_handles_labels()[1] if not label.startswith("_")]


@each_result
def test_axes_are_made_when_none_are_given(name):
    ax = RESULTS[name]().plot()
    assert plt.get_fignums() == [ax.figure.number]
    assert ax.has_data()
    plt.close(ax.figure)


@each_result
@pytest.mark.parametrize("ax", [3, "left", [1, 2]])
def test_what_is_no_axes_is_refused(name, ax):
    with pytest.raises(TypeError, match="is not a matplotlib axes: pass figure"):
        RESULTS[name]().plot(ax)


@each_result
def test_removed_axes_are_refused(name):
    ax = Figure().add_subplot()
    ax.remove()
    with pytest.raises(ValueError, match="ax was removed from its figure"):
        RESULTS[name]().plot(ax)


def test_what_has_no_place_on_a_logarithmic_axis_is_refused():
    for result in (
        rarefaction([0, 3], 10, at=[0]),
        growth.layer(np.eye(4), at=[0]),
        BetaBernoulli(9, 1.0, 2.0).simulate([0], rng=1),
    ):
        with pytest.raises(ValueError, match=r"= \[0\]: none is above 0, and so on a logarithmic axis"):
            result.plot()
    assert not plt.get_fignums()


@each_result
def test_numbers_drawn_are_finite(name):
    ax = RESULTS[name]().plot(Figure().add_subplot())
    assert ax.lines
    for line in ax.lines:
        assert np.isfinite(np.asarray(line.get_ydata(), dtype=float)).all()


@pytest.mark.parametrize("name", sorted(set(RESULTS) - OF_SEVERAL_PARTS))
def test_style_reaches_the_curve(name):
    ax = RESULTS[name]().plot(Figure().add_subplot(), color="tab:pink", label="mine")
    assert ax.lines[0].get_color() == "tab:pink"
    assert ax.lines[0].get_label() == "mine"


def test_a_notebook_that_becomes_interactive_inside_the_style_stays_so():
    """Its backend becomes so with the first figure; reset after the style, it would show no figures."""
    before = mpl.is_interactive()
    try:
        mpl.interactive(b=False)
        with plot.style():
            mpl.interactive(b=True)
        assert mpl.is_interactive()
        with pytest.raises(KeyError), plot.style():
            raise KeyError
        assert mpl.is_interactive()
    finally:
        mpl.interactive(before)


def test_a_notebook_shows_a_figure_for_print():
    with plot.style(columns=2):
        figure, _ = plot.figure(columns=2)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert type(pickle.loads(pickle.dumps(figure))) is type(figure)  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (7e-4, 0.2, ["$10^{-3}$", "$10^{-2}$", "$10^{-1}$"]),
        (0.02, 2e3, ["$10^{-1}$", "$10^{0}$", "$10^{1}$", "$10^{2}$", "$10^{3}$"]),
        (300, 2e4, ["$10^{3}$", "$10^{4}$"]),
        (0.02, 70, ["0.1", "1", "10"]),
        (1500, 2e4, ["2000", "5000", "10000", "20000"]),
        (3e-4, 3e-3, ["0.0005", "0.001", "0.002"]),
        (0.2, 9, ["0.2", "0.5", "1", "2", "5"]),
        (
            19e-6,
            9e-4,
            [r"$2\times10^{-5}$", r"$5\times10^{-5}$", "$10^{-4}$", r"$2\times10^{-4}$", r"$5\times10^{-4}$"],
        ),
        (2.5e-5, 9e-5, [r"$4\times10^{-5}$", r"$6\times10^{-5}$", r"$8\times10^{-5}$"]),
        (0.98e6, 1.3e6, ["$10^{6}$", *(rf"${m}\times10^{{6}}$" for m in (1.1, 1.2, 1.3))]),
        (3.9, 3.1, ["3.2", "3.4", "3.6", "3.8"]),
        (0.99998, 1.0001, ["1", "1.00005", "1.0001"]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_all_numbers_or_all_powers(low, high, labels):
    ax = Figure().add_subplot()
    _axes.logarithmic(ax, "x")
    ax.set_xlim(low, high)
    ax.figure.canvas.draw()
    ticks = [tick for minor in (False, True) for tick in ax.xaxis.get_ticklabels(minor=minor) if tick.get_text()]
    inside = sorted((tick.get_position()[0], tick.get_text()) for tick in ticks)
    assert [text for place, text in inside if min(low, high) <= place <= max(low, high)] == labels


def test_the_mouse_reads_its_place_on_a_logarithmic_axis():
    ax = Figure().add_subplot(xlim=(1e-4, 1e3))
    _axes.logarithmic(ax, "x")
    assert ax.format_xdata(0.0234) == "0.0234"


def test_a_process_draws_its_mean_and_its_steepest_point():
    process, D = PolyaUrn(50, 0.3), np.array([1, 10, 100, 1000])
    curve, point = process.plot(Figure().add_subplot(), D=D).lines
    assert np.array_equal(curve.get_xdata(), D)
    assert np.array_equal(curve.get_ydata(), process.working(D))
    assert float(point.get_xdata()[0]) == process.inflection()
    assert float(point.get_ydata()[0]) == process.working(process.inflection())


def test_a_path_draws_the_mean_of_its_replicas_in_a_band():
    path = BetaBernoulli(50, 0.3, 5.0).simulate([1, 10, 100], 200, rng=1)
    ax = path.plot(Figure().add_subplot(), level=0.5)
    assert ax.lines[0].get_label() == "mean of 200 replicas,\n50 % of them in the band"
    assert np.array_equal(ax.lines[0].get_ydata(), path.working.mean(axis=0))
    band = ax.collections[0].get_paths()[0].vertices
    for t, D in enumerate([1, 10, 100]):
        heights = band[band[:, 0] == D, 1]
        assert heights.min() == np.quantile(path.working[:, t], 0.25)
        assert heights.max() == np.quantile(path.working[:, t], 0.75)


# -- every public plot, where it may stand ------------------------------------------------------------------


@cache
def made(name):
    return MAKERS[name]()


DRAWABLE = [
    "Basin", "BetaBernoulli", "BinaryNeurons", "Collapse", "Comparison", "Correlation", "DynamicNeurons", "FiniteWidth",
    "Fit", "FitTest", "FixedFunction", "Flow", "GammaPoisson", "Growth", "LinearisedFlow", "Paths", "PhaseDiagram",
    "Placement", "PolyaUrn", "Power", "RankProbability", "Rarefaction", "Run", "Signals", "Spectrum", "SpikeStatistics",
    "StationaryLaw", "Strength", "TangentKernel",
]  # fmt: skip


def test_no_public_plot_is_forgotten():
    assert sorted(name for name, kind in frozen_classes().items() if hasattr(kind, "plot")) == DRAWABLE


@pytest.mark.parametrize("name", DRAWABLE)
def test_public_plots_stay_inside_a_bare_figure(name):
    figure = Figure()
    ax = figure.add_subplot()
    assert made(name).plot(ax) is ax
    assert faults(figure) == ([], [])


@pytest.mark.parametrize("name", DRAWABLE)
def test_public_plots_do_not_meet_their_neighbours_in_a_bare_grid(name):
    """The figure has the default size; colour bars and labels stay in the place of their axes, and layouts apply."""
    figure = Figure()
    for ax in figure.subplots(2, 2).ravel():
        made(name).plot(ax)
    assert faults(figure) == ([], [])
    figure.tight_layout()
    assert faults(figure) == ([], [])


def test_axes_with_room_around_them_stay_as_they_are():
    figure = Figure()
    ax = PolyaUrn(50, 0.3).plot(figure.add_subplot())
    figure.draw_without_rendering()
    assert np.array_equal(ax.get_position(), ax.get_position(original=True))


def test_plots_stay_in_their_cell_of_a_grid_in_a_grid():
    figure = Figure(figsize=(7, 7))
    outer = figure.add_gridspec(2, 2)
    panels = [figure.add_subplot(cell) for cell in (outer[0, 0], outer[0, 1], outer[1, 0])]
    panels += outer[1, 1].subgridspec(2, 1).subplots().tolist()
    for ax in panels:
        made("Collapse").plot(ax)
    assert faults(figure) == ([], [])


@pytest.mark.parametrize("name", DRAWABLE)
def test_public_plots_stay_inside_a_grid_on_a_dark_style(name, tmp_path):
    with mpl.rc_context(), plot.style():
        mpl.rcParams.update({key: mpl.style.library["dark_background"][key] for key in DARK})
        figure = Figure(figsize=(7, 5.2))
        panels = figure.subplots(2, 2).ravel()
        for ax in panels:
            made(name).plot(ax)
        assert faults(figure) == ([], [])
        for line in panels[0].lines if name != "PhaseDiagram" else ():  # whose edge of chaos is outlined in white
            assert mpl.colors.to_rgb(line.get_color()) != (0, 0, 0), "black on black"
        figure.savefig(tmp_path / "figure.pdf")


@pytest.mark.filterwarnings("ignore:Attempt to set non-positive")  # matplotlib says what log axes leave out
@pytest.mark.parametrize("name", DRAWABLE)
def test_public_plots_are_drawn_on_log_axes(name):
    figure = Figure()
    ax = figure.add_subplot(xscale="log", yscale="log")
    assert made(name).plot(ax) is ax
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", DRAWABLE)
@pytest.mark.parametrize("projection", ["polar", "3d"])
def test_axes_that_are_not_straight_are_refused(name, projection):
    """A rate at an angle of 100 radians says nothing, and in three dimensions matplotlib fails in its own words."""
    with pytest.raises(TypeError, match=f"of the projection '{projection}'; pictures here have straight axes"):
        made(name).plot(Figure().add_subplot(projection=projection))


@pytest.mark.parametrize("name", DRAWABLE)
def test_public_plots_are_drawn_on_shared_axes(name):
    figure = Figure()
    ax = figure.subplots(2, 2, sharex=True, sharey=True)[0, 0]
    assert made(name).plot(ax) is ax
    figure.draw_without_rendering()


DARK = ("text.color", "axes.facecolor", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color",
        "figure.facecolor")  # fmt: skip


# -- figures for print ----------------------------------------------------------------------------------------


def test_a_figure_for_print_has_letters_and_the_width_of_its_columns():
    with plot.style(columns=2):
        figure, panels = plot.figure(columns=2, panels=(2, 3))
    assert figure.get_size_inches().tolist() == [7.0, 3.5]
    assert [ax.get_title(loc="left") for ax in panels.ravel()] == [f"({letter})" for letter in "abcdef"]
    assert panels.shape == (2, 3)
    assert [plot.figure(panels=shape)[1].shape for shape in ((3, 1), (1, 2))] == [(3,), (2,)]
    figure, ax = plot.figure(height=2.0)
    assert figure.get_size_inches().tolist() == [3.375, 2.0]
    assert not ax.get_title(loc="left")


@pytest.mark.parametrize("columns", [0, 3, True, "two", [1], np.ones(2)])
def test_a_width_that_no_page_has_is_refused(columns):
    with pytest.raises(ValueError, match="must be 1 or 2"):
        plot.figure(columns=columns)
    with pytest.raises(ValueError, match="must be 1 or 2"), plot.style(columns=columns):
        pass


@pytest.mark.parametrize(
    ("panels", "error", "words"),
    [
        (2, TypeError, "must be a pair"),
        ((1,), TypeError, "must be a pair"),
        ((0, 2), ValueError, "rows of panels"),
        ((3, 9), ValueError, "27; there are 26 letters"),
    ],
)
def test_panels_that_cannot_be_are_refused(panels, error, words):
    with pytest.raises(error, match=words):
        plot.figure(panels=panels)


@pytest.mark.parametrize("height", [0, -1.0, float("nan"), "2", True])
def test_heights_that_cannot_be_are_refused(height):
    with pytest.raises((TypeError, ValueError), match=r"height = .*it is in inches"):
        plot.figure(height=height)


def test_a_caption_with_half_a_formula_is_refused(tmp_path):
    figure, ax = plot.figure()
    ax.plot([1, 2])
    with pytest.raises(ValueError, match="odd number of dollars"):
        plot.save(figure, tmp_path / "one", caption="the rate $r of units", x=[1])
    with pytest.raises(ValueError, match=r"without suffix, got .*; pass '.*one'"):
        plot.save(figure, tmp_path / "one.PNG", x=[1])
    with pytest.raises(TypeError, match="data 'x' would need pickles"):
        plot.save(figure, tmp_path / "one", x=np.array([(1, None)], dtype=[("number", int), ("object", object)]))
    assert not list(tmp_path.iterdir())


def test_a_font_that_stands_first_in_one_text_and_second_in_another_has_the_letters_of_both(tmp_path):
    figure, ax = plot.figure()
    ax.set_axis_off()
    ax.text(0, 0, "qℵ", family=["STIXGeneral", "DejaVu Sans"], size=10)
    ax.text(0, 1, "z", family=["DejaVu Sans"], size=20)
    plot.save(figure, tmp_path / "one", x=[1])
    svg = (tmp_path / "one.svg").read_text(encoding="utf-8")
    face = r"font-family:'DejaVu Sans';font-style:normal;font-weight:normal;src:url\(data:font/ttf;base64,(.*?)\)"
    (outlines,) = re.findall(face, svg)
    assert set(map(ord, "qz")) <= set(TTFont(io.BytesIO(base64.b64decode(outlines))).getBestCmap())


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_panels_of_all_files_stand_where_the_first_has_them_and_the_figure_goes_on_as_before(layout, tmp_path):
    figure = Figure(layout=layout)
    ax, engine, places = figure.add_subplot(xlabel="an axis\nof two lines"), figure.get_layout_engine(), []
    figure.canvas.mpl_connect("draw_event", lambda _: places.append(ax.get_position().bounds))
    with plot.style():
        plot.save(figure, tmp_path / "one", x=[1])
    assert figure.get_layout_engine() is engine
    assert len(places) > 1 == len({*places})
    ax.set_xlabel("")
    figure.draw_without_rendering()
    assert (places[-1] != places[0]) == (layout is not None)


def test_letters_are_text_and_their_fonts_are_inside(tmp_path):
    def write(name):
        with plot.style(columns=1):
            figure, ax = plot.figure()
            ax.plot([1, 2])
            ax.set(xlabel=r"$\chi_{\sigma_w}$ & σ² < ∞", ylabel="ℵ₀ neurons")
            plot.save(figure, tmp_path / name, caption="5 % of $K_D$ & more_than 1/N^2, {a} ~ <b>", x=[1])

    state = dict(mpl.rcParams)
    write("one")
    write("two")
    assert dict(mpl.rcParams) == state
    for suffix in ("svg", "pdf", "png", "npz", "txt"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    svg = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert "neurons" in "".join(re.findall(r"<text[^>]*>([^<]*)<", svg))
    assert "@font-face{font-family:'STIXGeneral';font-style:italic" in svg
    assert all(address.startswith(("data:", "#")) for address in re.findall(r"url\((.*?)\)", svg))
    assert b"/FontFile2" in (tmp_path / "one.pdf").read_bytes()
    written = (tmp_path / "one.tex").read_text(encoding="utf-8").splitlines()
    assert [line.strip() for line in written[2:-1]] == [
        r"\includegraphics{one.pdf}",
        r"\caption{5 \% of $K_D$ \& more\_than 1/N\^{}2, \{a\} \textasciitilde{} \textless{}b\textgreater{}}",
        r"\label{fig:one}",
    ]
    assert plt.imread(tmp_path / "one.png").shape[:2] == (506, 675)  # 200 dots an inch


def test_colours_begin_again_with_another_stroke():
    with plot.style():
        strokes = [_axes.stroke(k) for k in range(4 * len(plot.COLOURS) + 1)]
    assert strokes == [stroke for stroke in ("-", "--", "-.", ":") for _ in plot.COLOURS] + ["-"]


@pytest.mark.parametrize(
    ("high", "major", "minor"),
    [(10.0, "10", "5"), (100.0, "10", ""), (9e3, "10", ""), (2e4, "$10^{1}$", "")],
)
def test_ticks_are_read_at_a_glance(high, major, minor):
    """Plain numbers on less than four decades, and 2 and 5 between them on little more than one."""
    ax = Figure().add_subplot(xlim=(1.0, high))
    _axes.logarithmic(ax, "x")
    assert ax.xaxis.get_major_formatter()(10.0, 0) == major
    assert [ax.xaxis.get_minor_formatter()(value, 0) for value in (1.0, 5.0)] == ["", minor]


def test_depths_of_a_collapse_are_told_apart_without_colour():
    t, m = np.tile(np.linspace(-1, 1, 9), 3), np.repeat([10.0, 20.0, 40.0], 9)
    values = np.exp(t) / m
    ax = rg.collapse(t / m, m, values, 0.01 * values, degree=3, bootstrap=20, rng=1).plot(Figure().subplots())
    markers = [container.lines[0].get_marker() for container in ax.containers]
    assert len(markers) == len({*markers}) == 3

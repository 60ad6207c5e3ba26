"""Results for wide random layers as formulas: maps of variance and correlation, fixed points, criticality, width."""

from __future__ import annotations

import sympy as sp

from statnn.theory.closed_form import Formula
from statnn.theory.notation import TEXTBOOK, named
from statnn.theory.rg.gelu import PRODUCT_OF_GELU, SQUARE_OF_GELU
from statnn.theory.rg.meanfield import DENSITIES, ONE, PRODUCT, SQUARE, c, q, x
from statnn.theory.rg.meanfield_series import LINE, START
from statnn.theory.rg.sine import PRODUCTS, SINE_SQUARE
from statnn.theory.root import Root
from statnn.theory.variable import Variable

_ROOM = "statnn.rg."
_W, _B, _slope = sp.Symbol("sigma_w", positive=True), sp.Symbol("sigma_b", nonnegative=True), sp.Symbol("a", real=True)
_m, _n = sp.symbols("m n", integer=True, positive=True)
_t = sp.Symbol("t", positive=True)

_VARIANCE = Variable(q, "0 < q < oo", "variance of the fields")
_CORRELATION = Variable(c, "-1 <= c <= 1", "correlation of the fields")
_WEIGHTS = Variable(_W, "0 < sigma_w < oo", "standard deviation of the weights times the root of the fan-in")
_BIASES = Variable(_B, "0 <= sigma_b < oo", "standard deviation of the biases")
_SOME_BIAS = Variable(_B, "0 < sigma_b < oo", "standard deviation of the biases")
_LAYER = (_VARIANCE, _WEIGHTS, _BIASES)
_ABOVE = Variable(_t, "0 < t < oo", "distance of the variance of weights from the critical one, small")
_DEEP = Variable(_m, "1 <= m < oo, whole", "layers")
_SOURCES = {"erf": "Williams 1997; Poole et al. 2016; proved here", "relu": "Cho & Saul 2009; proved here"}
_SOURCES |= {"sin": TEXTBOOK, "sign": TEXTBOOK, "gelu": "Tsuchida et al. 2021; proved here"}
_PRODUCTS = PRODUCT | PRODUCTS | {"gelu": PRODUCT_OF_GELU}
_SQUARES = SQUARE | {"sin": SINE_SQUARE, "gelu": SQUARE_OF_GELU}


def _mean_square(activation: str) -> sp.Expr:
    """Return E φ²."""
    return _PRODUCTS[activation].subs(c, 1)


def _map(activation: str) -> sp.Expr:
    """Return V(q)."""
    return _W**2 * _mean_square(activation) + _B**2


def _maps(activation: str, derivation: str) -> tuple[Formula, ...]:
    """Return the maps of an activation with closed averages; the sign has no slopes."""
    correlated = (_W**2 * _PRODUCTS[activation] + _B**2) / _map(activation)
    rows = [
        ("variance", "q'", _map(activation), _LAYER, "variance of the fields one layer on,", "variance_map"),
        ("correlation", "c'", correlated, (_CORRELATION, *_LAYER), "correlation of the fields one layer on,",
         "correlation_map"),
    ]  # fmt: skip
    if activation in _SQUARES:
        curve, slopes = sp.diff(_map(activation), q), _W**2 * _SQUARES[activation]
        rows += [
            ("slope", r"\frac{d q'}{d q}", curve, _LAYER, "slope of the map of the variance,", "variance_slope"),
            ("chi", r"\chi", slopes, _LAYER, "factor of squared small distances,", "chi"),
        ]
    return tuple(
        Formula(f"{activation}-layers.{name}", named(tex), expression, variables, f"{text} of {activation}",
                _SOURCES[activation], "exact", derivation, f"{_ROOM}RandomLayer.{method}",
                main=name == "correlation" and activation != "sign")
        for name, tex, expression, variables, text, method in rows
    )  # fmt: skip


def _average(function: sp.Expr) -> sp.Expr:
    """Return the average of an even function of a field x."""
    return 2 * sp.Integral(function * DENSITIES[ONE(x, q)], (x, 0, sp.oo))


_fixed = Root(_map("erf") - q, (q, 0, sp.oo))
_on_edge = Root(q - _mean_square("erf") / SQUARE["erf"] - _B**2, (q, 0, sp.oo))
_POINT = (_WEIGHTS, _SOME_BIAS)

_ERF = (
    *_maps("erf", "erf-layers"),
    Formula("erf-layers.fixed-variance", named("q^{*}"), _fixed, _POINT, "variance of the fields that a layer keeps, "
                                                                         "of erf",
            _SOURCES["erf"], "exact", "erf-layers", _ROOM + "RandomLayer.fixed_point"),
    Formula("erf-layers.fixed-chi", named(r"\chi"), _W**2 * SQUARE["erf"].subs(q, _fixed), _POINT,
            "factor of squared small distances at that variance", _SOURCES["erf"], "exact", "erf-layers",
            _ROOM + "RandomLayer.fixed_point"),
    Formula("erf-layers.critical-sigma-w", named(r"\sigma_{w}"), 1 / sp.sqrt(SQUARE["erf"].subs(q, _on_edge)),
            (_SOME_BIAS,), "standard deviation of the weights at the edge of chaos, of erf", _SOURCES["erf"], "exact",
            "erf-layers", _ROOM + "critical_line"),
)  # fmt: skip

_LINES = "Cho & Saul 2009; proved here"
_RELU = (
    *_maps("relu", "relu-layers"),
    Formula("leaky-relu-layers.variance", named("q'"), _W**2 * (1 + _slope**2) * q / 2 + _B**2,
            (*_LAYER, Variable(_slope, "-oo < a < oo", "slope below zero")),
            "variance of the fields one layer on, of a leaky relu", _LINES, "exact", "relu-layers",
            _ROOM + "RandomLayer.variance_map"),
    Formula("relu-layers.distance", 1 - named("c_{m}"), 9 * sp.pi**2 / (2 * _m**2), (_DEEP,),
            "distance of the correlation from one after many critical layers of relu", _LINES, "asymptotic",
            "relu-layers", _ROOM + "RandomLayer.propagate"),
    Formula("relu-layers.spread", named(r"n \operatorname{Var} K"), 5 * _m * q**2, (_VARIANCE, _DEEP),
            "variance of the variance of fields in critical relu networks of width n, times n",
            "this project; compare Hanin 2018 and Roberts, Yaida & Hanin 2022", "asymptotic", "finite-width",
            _ROOM + "RandomLayer.finite_width", main=True),
)  # fmt: skip

_AVERAGES = "textbook result (Poole et al. 2016)"
_TANH = (
    Formula("tanh-layers.variance", named("q'"), _W**2 * _average(sp.tanh(x) ** 2) + _B**2, _LAYER,
            "variance of the fields one layer on, of tanh", _AVERAGES, "exact", "gaussian-averages",
            _ROOM + "RandomLayer.variance_map", main=True),
    Formula("tanh-layers.chi", named(r"\chi"), _W**2 * _average((1 - sp.tanh(x) ** 2) ** 2), _LAYER,
            "factor of squared small distances, of tanh", _AVERAGES, "exact", "gaussian-averages",
            _ROOM + "RandomLayer.chi"),
    Formula("tanh-layers.critical-variance", named("q_{m}"), 1 / (2 * _m), (_DEEP,),
            "variance of the fields after many critical layers of tanh without biases", LINE, "asymptotic",
            "tanh-criticality", _ROOM + "Criticality.variance"),
    Formula("tanh-layers.fixed-variance", named("q^{*}"), START.subs(sp.Symbol("t", positive=True), _t), (_ABOVE,),
            "variance that tanh without biases keeps just above criticality, to second order", LINE, "asymptotic",
            "tanh-criticality",
            _ROOM + "RandomLayer.fixed_point"),
    Formula("tanh-layers.fixed-chi", named(r"\chi"), 1 + _t**2 / 3, (_ABOVE,),
            "factor of squared small distances just above criticality, without biases", LINE, "asymptotic",
            "tanh-criticality", _ROOM + "criticality"),
    Formula("tanh-layers.xi-variance", named(r"\xi_{q}"), 1 / _t, (_ABOVE,),
            "layers over which variances are forgotten just above criticality, without biases", LINE, "asymptotic",
            "tanh-criticality",
            _ROOM + "MeanField.xi_variance"),
    Formula("tanh-layers.xi-correlation", named(r"\xi_{c}"), 6 / _t**2, (_ABOVE,),
            "layers over which correlations are forgotten just above criticality, without biases", LINE, "asymptotic",
            "tanh-criticality", _ROOM + "MeanField.xi_correlation", main=True),
)  # fmt: skip

_OTHERS = (*_maps("sin", "sine-layers"), *_maps("sign", "sine-layers"), *_maps("gelu", "gelu-layers"))

WIDE = (*_ERF, *_RELU, *_OTHERS, *_TANH)

r"""Activations that exporters write as several operators: x Sigmoid(x) for SiLU, GELU with Erf or Tanh, and softplus.

What flows through these operators is, whatever their order, a polynomial in x and in one function of such a polynomial:
:math:`\sum_k x^k (a_k + b_k\,F(\sum_j c_j x^j))`. It is worked out and compared with those of the known activations,
term by term, to the rounding of the constants. Softplus is the line x above a threshold: `Where` makes one function
of a comparison and the two sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Terms: TypeAlias = dict[int, float]
"""Coefficients by power."""
FUNCTIONS = {"Erf", "Tanh", "Sigmoid", "Softplus"}
MOST_NODES = 12
"""Operators of one activation; exporters write up to ten."""
MOST_POWER = 3
ROUNDING = 1e-6
"""Relative rounding of constants in float32."""


@dataclass(frozen=True)
class Form:
    """x-polynomial `plain`, and `times` multiplied by a function of `inside`."""

    plain: Terms
    times: Terms
    function: str = ""
    inside: tuple[tuple[int, float], ...] = ()


_ROOT = math.sqrt(2 / math.pi)
KNOWN = {
    "silu": Form({}, {1: 1.0}, "Sigmoid", ((1, 1.0),)),
    "gelu": Form({1: 0.5}, {1: 0.5}, "Erf", ((1, math.sqrt(0.5)),)),
    "softplus": Form({}, {0: 1.0}, "Softplus up to 20", ((1, 1.0),)),
    "gelu tanh": Form({1: 0.5}, {1: 0.5}, "Tanh", ((1, _ROOT), (3, _ROOT * 0.044715))),
}


def matched(
    now: str, users: dict[str, list[Any]], constant: Callable[[str], Any], rounding: float = ROUNDING
) -> tuple[str, str] | None:
    """Return the name of the activation that several operators make of a value, and the value they end with, or None.

    Parameters
    ----------
    now : str
        The value that several operators take.
    users : dict
        Operators by the values that they take.
    constant : callable
        Returns the array of a constant by its name, None if it is not a constant.
    rounding : float
        How far constants may be off, relatively.
    """
    forms = {now: Form({1: 1.0}, {})}
    waiting, done = list(users.get(now, [])), 0
    while waiting and done < MOST_NODES * MOST_NODES:
        node, done = waiting.pop(0), done + 1
        if len(node.output) != 1 or node.output[0] in forms:
            continue
        made = _form(node, forms, constant)
        if made is None:  # its other inputs may be yet to come
            continue
        end = node.output[0]
        forms[end] = made
        name = next((name for name, known in KNOWN.items() if _alike(made, known, rounding)), None)
        if name is not None and _closed(end, forms, users):
            return name, end
        if len(forms) > MOST_NODES:
            return None
        waiting += users.get(end, [])
    return None


def _closed(end: str, forms: dict[str, Form], users: dict[str, list[Any]]) -> bool:
    """Whether nothing but the end is used outside."""
    return all(node.output[0] in forms for value in forms if value != end for node in users.get(value, []))


def _form(node: Any, forms: dict[str, Form], constant: Callable[[str], Any]) -> Form | None:
    """Return the form that an operator makes of forms and constants, None if it makes none."""
    given = [forms.get(name) or _constant(constant(name)) for name in node.input]
    if None in given or node.domain not in {"", "ai.onnx"}:
        return None
    kind, forms_given = node.op_type, [form for form in given if form is not None]
    if len(forms_given) == 1:
        return _of_one(kind, forms_given[0])
    if kind == "Where" and len(forms_given) == 3:
        return _of_sides(*forms_given)
    return _of_two(kind, *forms_given) if len(forms_given) == 2 else None


def _of_one(kind: str, form: Form) -> Form | None:
    if kind in FUNCTIONS and not form.times:
        return Form({}, {0: 1.0}, kind, tuple(sorted(form.plain.items())))
    return form if kind == "Identity" else None


def _of_two(kind: str, first: Form, second: Form) -> Form | None:
    number = second.plain.get(0, 0.0) if set(second.plain) <= {0} and not second.times else 0.0
    if kind in {"Add", "Sub"}:
        return _sum(first, _product(Form({0: 1.0 if kind == "Add" else -1.0}, {}), second))
    if kind == "Greater" and number and not first.times:
        return Form({}, {0: 1.0}, f"above {number:g}", tuple(sorted(first.plain.items())))
    if kind == "Mul":
        return _product(first, second)
    if kind == "Div" and number:
        return _product(first, Form({0: 1 / number}, {}))
    if kind == "Pow" and number in {1.0, 2.0, 3.0} and not first.times:
        result: Form | None = first
        for _ in range(int(number) - 1):
            result = result and _product(result, first)
        return result
    return None


def _of_sides(choice: Form, above: Form, below: Form) -> Form | None:
    """Return the softplus that is a line above a threshold, if its sides `above` and `below` are x and softplus."""
    line = dict(choice.inside)
    beyond = choice.function.startswith("above ") and not above.times and above.plain == line
    if not beyond or below.function != "Softplus" or dict(below.inside) != line:
        return None
    return Form(below.plain, below.times, f"Softplus up to {choice.function.removeprefix('above ')}", below.inside)


def _constant(array: Any) -> Form | None:
    """Return the form of one number."""
    if array is None or array.size != 1 or array.ndim > 2:
        return None
    return Form({0: float(np.ravel(array)[0])}, {})


def _sum(first: Form, second: Form | None) -> Form | None:
    if second is None or (first.times and second.times and _head(first) != _head(second)):
        return None
    plain, times = (
        {k: a.get(k, 0.0) + b.get(k, 0.0) for k in a.keys() | b.keys()}
        for a, b in ((first.plain, second.plain), (first.times, second.times))
    )
    return Form(plain, times, *_head(first if first.times else second))


def _product(first: Form, second: Form) -> Form | None:
    if first.times and second.times:
        return None
    plain = _times(first.plain, second.plain)
    times = _times(first.times, second.plain) if first.times else _times(first.plain, second.times)
    if max([*plain, *times, 0]) > MOST_POWER:
        return None
    return Form(plain, times, *_head(first if first.times else second))


def _head(form: Form) -> tuple[str, tuple[tuple[int, float], ...]]:
    return form.function, form.inside


def _times(first: Terms, second: Terms) -> Terms:
    result: Terms = {}
    for j, a in first.items():
        for k, b in second.items():
            result[j + k] = result.get(j + k, 0.0) + a * b
    return result


def _alike(form: Form, known: Form, rounding: float) -> bool:
    pairs = ((form.plain, known.plain), (form.times, known.times), (dict(form.inside), dict(known.inside)))
    return form.function == known.function and all(
        abs(a.get(k, 0.0) - b.get(k, 0.0)) <= rounding * abs(b.get(k, 0.0))
        for a, b in pairs
        for k in a.keys() | b.keys()
    )

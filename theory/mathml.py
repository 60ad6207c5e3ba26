"""Formulas as MathML, which browsers draw by themselves: no script, no font and no network are needed."""

from __future__ import annotations

from functools import cache
from html import escape

from statnn.theory.tex import EMPTY, Node, parsed

_LIMITS = {"Σ", "Π", "lim"}  # limits are set below and above
_FIXED = ' stretchy="false"'
_LARGE = {"Σ": "∑", "Π": "∏", "∫": "∫"}


@cache
def mathml(latex: str, *, display: bool = False) -> str:
    """Return a formula as a ``<math>`` element, on a line of its own if displayed."""
    block = ' display="block"' if display else ""
    return f'<math{block} xmlns="http://www.w3.org/1998/Math/MathML">{_written(parsed(latex))}</math>'


def _written(node: Node) -> str:
    if node.kind == "script":
        return _script(*node.parts)
    if node.kind in {"fence", "group"}:
        left, right = (_mark(mark, node.kind == "group") for mark in node.text)
        return f"<mrow>{left}{_written(node.parts[0])}{right}</mrow>"
    if node.kind == "row":
        return f"<mrow>{''.join(map(_apart, node.parts, (*node.parts[1:], EMPTY)))}</mrow>"
    if node.kind == "root" and len(node.parts) > 1:
        return f"<mroot>{''.join(map(_written, node.parts))}</mroot>"
    if node.kind in _SIMPLE:
        return _SIMPLE[node.kind](escape(node.text))
    return _AROUND[node.kind].format("".join(map(_written, node.parts)), node.text)


def _apart(node: Node, after: Node) -> str:
    """Return a part of a row, with a thin space between a function and an argument without brackets."""
    of = node.parts[0] if node.kind == "script" else node
    apart = of.kind == "name" and len(of.text) > 1 and of.text not in _LIMITS and after.kind == "space"
    return _written(node) + '<mspace width="0.17em"/>' * apart


def _mark(text: str, fixed: bool) -> str:
    return f"<mo{_FIXED if fixed else ''}>{text}</mo>"


def _name(text: str) -> str:
    if text in _LARGE:
        return f"<mo>{_LARGE[text]}</mo>"
    normal = ' mathvariant="normal"' if len(text) == 1 else ""
    return f"<mi{normal}>{text}</mi>" + ("" if text in _LIMITS or len(text) == 1 else "<mo>&#8289;</mo>")


_SIMPLE = {
    "letter": "<mi>{}</mi>".format,
    "number": "<mn>{}</mn>".format,
    "name": _name,
    "operator": lambda text: _mark(text, text in "|{}"),
    "space": lambda _: "",
}
_AROUND = {
    "fraction": "<mfrac>{0}</mfrac>",
    "binomial": '<mrow><mo>(</mo><mfrac linethickness="0">{0}</mfrac><mo>)</mo></mrow>',
    "root": "<msqrt>{0}</msqrt>",
    "accent": '<mover accent="true">{0}<mo>{1}</mo></mover>',
}


def _script(base: Node, lower: Node, upper: Node) -> str:
    large = base.kind == "name" and base.text in _LIMITS
    tag = ("munder", "mover", "munderover") if large else ("msub", "msup", "msubsup")
    inner = "<mrow></mrow>" if base == EMPTY else f"<mrow>{_written(base)}</mrow>"
    if upper == EMPTY:
        return f"<{tag[0]}>{inner}{_written(lower)}</{tag[0]}>"
    if lower == EMPTY:
        return f"<{tag[1]}>{inner}{_written(upper)}</{tag[1]}>"
    return f"<{tag[2]}>{inner}{_written(lower)}{_written(upper)}</{tag[2]}>"

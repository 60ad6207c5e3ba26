r"""Parser of the LaTeX of `theory.printing` into trees, from which MathML and plain text are written.

It knows only the LaTeX written there and in names of symbols: fractions, scripts, roots, fences, large operators,
accents and upright names. Anything else raises, so that no part of a formula is silently dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "letter", "number", "name", "operator", "space", "row", "group", "fence", "fraction", "binomial", "root", "script",
    "accent",
]  # fmt: skip
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_GREEK = "alpha beta gamma delta epsilon theta kappa lambda mu nu xi pi rho sigma tau phi varphi chi psi omega"
LETTERS = dict(zip(_GREEK.split(), "αβγδεθκλμνξπρστφφχψω", strict=True))
_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
LETTERS |= dict(zip(_CAPITALS.split(), "ΓΔΘΛΞΠΣΦΨΩ", strict=True))
_RARE = "zeta eta iota upsilon vartheta varepsilon varrho varsigma"
LETTERS |= dict(zip(_RARE.split(), "ζηιυϑϵϱς", strict=True))
LETTERS |= {"hbar": "ℏ", "nabla": "∇", "Upsilon": "Υ"}
LETTERS |= {"infty": "∞", "partial": "∂", "ldots": "…", "ell": "ℓ"}
OPERATORS = {"leq": "≤", "geq": "≥", "le": "≤", "ge": "≥", "neq": "≠", "ll": "≪", "gg": "≫", "to": "→", "mid": "|"}
OPERATORS |= {mark: mark for mark in "{}|&"}
OPERATORS |= {"cdot": "·", "pm": "±", "times": "×", "approx": "≈", "sim": "∼", "propto": "∝"}
OPERATORS |= {"langle": "⟨", "rangle": "⟩", "bmod": "mod", "wedge": "∧", "vee": "∨", "neg": "¬"}
_LARGE = {"sum": "Σ", "prod": "Π", "int": "∫", "lim": "lim"}
_NAMES = {
    "ln",
    "exp",
    "sin",
    "cos",
    "tan",
    "cosh",
    "sinh",
    "tanh",
    "coth",
    "det",
    "min",
    "max",
    "arctan",
    "log",
    "arg",
    "cot",
    "sec",
    "csc",
}
_ACCENTS = {"hat": "^", "tilde": "~", "bar": "¯", "overline": "¯", "dot": "˙", "ddot": "¨", "vec": "→"}
_FENCES = {mark: mark for mark in "()[]|"} | {r"\{": "{", r"\}": "}", r"\langle": "⟨", r"\rangle": "⟩"}
_FENCES |= {r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉"}
_SPACES = {r"\,", r"\;", r"\!", r"\ ", r"\quad", r"\displaystyle"}
_SCRIPT = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "𝒜ℬ𝒞𝒟ℰℱ𝒢ℋℐ𝒥𝒦ℒℳ𝒩𝒪𝒫𝒬ℛ𝒮𝒯𝒰𝒱𝒲𝒳𝒴𝒵")
_CLOSING = {"(": ")", "[": "]"}
_ENDS = {"}", r"\right", *_CLOSING.values()}
RELATIONS = {"=", "<", ">", "≤", "≥", "≠", "≪", "≫", "→", "≈", "∼", "∝"}
BINARY = {"+", "−", "·", "±", "×", "mod", "∧", "∨"} | RELATIONS


@dataclass(frozen=True)
class Node:
    """A part of a formula: its kind, its character or name, and its parts.

    Scripts have a base, a lower and an upper part, either of which may be an empty row. A fence grows with its
    contents, a group has parentheses or brackets of ordinary size.
    """

    kind: Kind
    text: str = ""
    parts: tuple[Node, ...] = field(default=())


EMPTY = Node("row")
_SYMBOLS = {name: Node("letter", text) for name, text in LETTERS.items()}
_SYMBOLS |= {name: Node("operator", text) for name, text in OPERATORS.items()}
_SYMBOLS |= {name: Node("name", text) for name, text in (_LARGE | {name: name for name in _NAMES}).items()}
_MADE_OF: dict[str, tuple[Kind, str, int]] = {name: ("accent", text, 1) for name, text in _ACCENTS.items()}
_MADE_OF |= {"frac": ("fraction", "", 2), "binom": ("binomial", "", 2), "sqrt": ("root", "", 1)}


@cache
def parsed(latex: str) -> Node:
    """Return the tree of a formula.

    Raises
    ------
    ValueError
        For LaTeX that is not known here; the message names it.
    """
    reader = _Reader(_TOKEN.findall(latex))
    row = reader.row("")
    if reader.tokens:
        raise ValueError(f"{reader.tokens[-1]} has no beginning in the formula {latex}")
    return row


class _Reader:
    """Reads tokens from a list whose last entry is the next token."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[::-1]

    def row(self, end: str) -> Node:
        """Read up to and including the mark `end`."""
        parts: list[Node] = []
        while self.tokens and self.tokens[-1] not in _ENDS:
            parts.append(self._scripted(parts))
        if end:
            self._take(end)
        return Node("row", parts=tuple(parts))

    def _take(self, mark: str) -> None:
        if not self.tokens or self.tokens.pop() != mark:
            raise ValueError(f"{mark} is missing in a formula")

    def _argument(self) -> Node:
        while self.tokens[-1].isspace():
            self.tokens.pop()
        return self._atom()

    def _scripted(self, before: list[Node]) -> Node:
        """Read an atom and its scripts; a script without a base belongs to the part before it."""
        base = EMPTY if self.tokens[-1] in {"_", "^", "'"} else self._atom()
        if base == EMPTY and before:
            base = before.pop()
        lower = upper = EMPTY
        while self.tokens and self.tokens[-1] in {"_", "^", "'"}:
            mark = self.tokens.pop()
            if mark == "'":
                upper = Node("row", parts=(*upper.parts, Node("operator", "′")))
            elif mark == "_":
                lower = self._argument()
            else:
                raised = self._argument()
                upper = Node("row", parts=(*upper.parts, raised)) if upper.parts else raised
        return base if lower == upper == EMPTY else Node("script", parts=(base, lower, upper))

    def _atom(self) -> Node:
        mark = self.tokens.pop()
        if mark == "{":
            return self.row("}")
        if mark.isspace() or mark in _SPACES:
            return Node("space")
        if mark in _CLOSING:
            return Node("group", mark + _CLOSING[mark], (self.row(_CLOSING[mark]),))
        if mark[0].isdigit():
            return Node("number", mark)
        if not mark.startswith("\\"):
            return Node("letter" if mark.isalpha() else "operator", mark.replace("-", "−"))
        return self._command(mark[1:])

    def _command(self, name: str) -> Node:
        if name in _SYMBOLS:
            return _SYMBOLS[name]
        if name == "left":
            opening, inside = self._fence(), self.row(r"\right")
            return Node("fence", opening + self._fence(), (inside,))
        if name == "sqrt" and self.tokens[-1] == "[":
            index = self._atom()
            return Node("root", parts=(self._argument(), *index.parts))
        if name in {"operatorname", "mathcal", "mathrm", "text"}:
            letters = _letters(self._argument())
            return Node("name", letters.translate(_SCRIPT) if name == "mathcal" else letters)
        if name not in _MADE_OF:
            raise ValueError(rf"\{name} is not among the LaTeX that is known here")
        kind, text, count = _MADE_OF[name]
        return Node(kind, text, tuple(self._argument() for _ in range(count)))

    def _fence(self) -> str:
        mark = self.tokens.pop()
        if mark not in _FENCES:
            raise ValueError(f"{mark} is not a fence that is known here")
        return _FENCES[mark]


def _letters(node: Node) -> str:
    return node.text.replace("−", "-") + "".join(map(_letters, node.parts))

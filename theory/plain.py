"""Formulas as one line of plain text, for a terminal: K(D) = N (1 − (bN/(cD + bN))ᵇ)."""

from __future__ import annotations

import itertools
from functools import cache

from statnn.theory.tex import BINARY, EMPTY, Node, parsed

_RAISED = str.maketrans("0123456789+−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδθφχ ",
                        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᶿᵠᵡ ")  # fmt: skip
_LOWERED = str.maketrans("0123456789+−=()aehijklmnoprstuvxβγρφχ ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ ")
_ACCENTS = {"^": "\N{COMBINING CIRCUMFLEX ACCENT}", "~": "\N{COMBINING TILDE}", "¯": "\N{COMBINING OVERLINE}"}
_ACCENTS |= {"˙": "\N{COMBINING DOT ABOVE}", "¨": "\N{COMBINING DIAERESIS}"}
_ACCENTS |= {"→": "\N{COMBINING RIGHT ARROW ABOVE}"}
_LARGE = {"Σ", "Π", "∫", "lim"}
_CLOSED = {"letter", "number", "name", "group", "fence", "script", "root", "accent", "binomial"}


@cache
def plain(latex: str) -> str:
    """Return a formula as text."""
    return _row(parsed(latex).parts)


def _written(node: Node) -> str:
    if node.kind in {"row", "script"}:
        return _row(node.parts) if node.kind == "row" else _script(*node.parts)
    if node.kind == "fraction":
        return _slope(node) or f"{_closed(node.parts[0], products=True)}/{_closed(node.parts[1])}"
    if node.kind == "root":
        root, *index = node.parts
        return "".join(_written(part).translate(_RAISED) for part in index) + f"√{_closed(root)}"
    inside = [_written(part) for part in node.parts]
    if node.kind in {"fence", "group"}:
        return f"{node.text[0]}{inside[0]}{node.text[1]}"
    if node.kind == "accent":
        return _accented(inside[0], node.text)
    return f"C({', '.join(inside)})" if node.kind == "binomial" else node.text


def _accented(text: str, mark: str) -> str:
    """Return letters under a mark; for the mean of more than one letter, brackets instead."""
    if mark == "¯" and len(text) > 1:
        return f"⟨{text.replace(' ', '')}⟩"
    return "".join(letter + _ACCENTS[mark] for letter in text)


def _row(parts: tuple[Node, ...]) -> str:
    """Return parts side by side, with spaces around binary signs and none in a product of two letters."""
    text = ""
    for i, node in enumerate(parts):
        before = next((other for other in reversed(parts[:i]) if other.kind != "space"), None)
        after, call = _next(parts[i + 1 :])
        if node.kind == "space":
            text += "" if before is None or after is None or _tight(before, after, text, call=call) else " "
        elif node.kind == "operator" and node.text in BINARY:
            text = text + node.text if _is_sign(before) else f"{text.rstrip()} {node.text} "
        elif node.kind == "fraction" and not _slope(node) and (_multiplies(before) or _multiplies(after)):
            text += f"({_written(node)})"
        else:
            text += _written(node)
    return text


def _next(parts: tuple[Node, ...]) -> tuple[Node | None, bool]:
    """Return the next part that is not a space, and whether it is a function with an argument."""
    rest = tuple(itertools.dropwhile(lambda node: node.kind == "space", parts))
    return (rest[0] if rest else None), len(rest) > 1 and rest[0].kind == "letter" and _is_call(rest[:2])


def _is_sign(before: Node | None) -> bool:
    """Whether a plus or minus after this part is a sign and not an operator."""
    return before is None or (before.kind == "operator" and before.text in {*BINARY, ",", ";"})


def _multiplies(node: Node | None) -> bool:
    return node is not None and not (node.kind == "operator" and node.text in {*BINARY, ",", ";", "|"})


def _tight(before: Node, after: Node, text: str, *, call: bool) -> bool:
    """Whether there is no space: in a product of two letters, after a sign, or after another space."""
    if text.endswith(" ") or text in {"−", "±"} or text[-2:] in {"(−", " −"}:
        return True
    return not call and before.kind in {"letter", "number"} and after.kind == "letter" and before.text != "∂"


def _slope(node: Node) -> str:
    """Return a derivative as d/dx, nothing for other fractions, such as of a length d."""
    above, below = (part.parts or (part,) for part in node.parts)
    start = above[0].parts[0] if above[0].kind == "script" and above[0].parts[1] == EMPTY else above[0]
    whole = any(part.kind == "operator" and part.text in {*BINARY, "/"} for part in (*above, *below))
    if whole or start != below[0] or start.text not in {"d", "∂"} or len(below) < 2:
        return ""
    return "/".join(_written(part).replace(" ", "") for part in node.parts)


def _closed(node: Node, *, products: bool = False) -> str:
    """Return a part of a fraction or a root, in parentheses unless it is a single unit."""
    text = _written(node)
    parts = [part for part in node.parts if part.kind != "space"] if node.kind == "row" else [node]
    joined = any(part.kind == "operator" and part.text in {*BINARY, "/", ","} for part in parts[1:])
    joined |= any(part.kind == "script" and _is_large(part.parts[0]) for part in parts)
    whole = len(parts) == 1 and parts[0].kind in _CLOSED
    return text if whole or (products and not joined) or _is_call(node.parts) else f"({text})"


def _is_large(node: Node) -> bool:
    """Whether this is the sign of a sum, a product, an integral or a limit, which acts on what follows."""
    return node.kind == "name" and node.text in _LARGE


def _is_call(parts: tuple[Node, ...]) -> bool:
    """Whether the parts are a function with its argument, as Γ(a), which has no space as a product has."""
    if len(parts) != 2 or parts[0].kind not in {"letter", "name", "script"}:
        return False
    arguments = parts[1].parts[0] if parts[1].kind == "script" else parts[1]
    return arguments.kind in {"fence", "group"}


def _script(base: Node, lower: Node, upper: Node) -> str:
    below, above = _written(lower), _written(upper)
    if _is_large(base):
        return f"{base.text}[{f'{below}…{above}'.replace(' ', '') if above else below}]"
    text = f"({_written(base)})" if base.kind == "fraction" else _written(base)
    primes = above[: len(above) - len(above.lstrip("′"))]
    return text + _shifted(below, "_", _LOWERED) + primes + _shifted(above[len(primes) :], "^", _RAISED)


def _shifted(text: str, mark: str, table: dict[int, int]) -> str:
    """Return text raised or lowered: in small characters if these exist, else after a mark."""
    if text == "*":
        return text
    inside = text[1:-1] if _in_parentheses(text) else text
    if "(" not in inside and all(ord(character) in table for character in text):
        return text.replace(" ", "").translate(table)
    return mark + (text if len(text) == 1 else f"({inside})")


def _in_parentheses(text: str) -> bool:
    """Whether text begins with a parenthesis that closes at its end."""
    return text.startswith("(") and text.endswith(")") and "(" not in text[1:-1]

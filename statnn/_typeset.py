"""Symbols in sentences of pages, set as in print: italic letters, sub- and superscripts, by HTML alone."""

from __future__ import annotations

import re
from html import escape

_RAISED = re.compile(r"\^(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\)|([−\w*]+))")
_LOWERED = re.compile(r"(?<![^\W_])([A-Za-zα-ωΑ-Ω])_(\w+)")
# one letter that is neither article nor pronoun, or a product as in cD; no part of a word, no entity, not “quoted”
_SYMBOL = re.compile(r"(?<![\w'’&“-])(?<!</)([B-HJ-Zb-zα-ω]|[a-z][A-Z])(?=[₀-₉⁰-⁹¹²³]?(?![\w'’-]))")


class Name(str):
    """A name that a user chose, set as it stands: a network called "b" is not a variable."""

    __slots__ = ()


def typeset(words: str) -> str:
    r"""Return words as HTML, with letters that stand alone as symbols, and what follows _ or ^ below or above them.

    Examples
    --------
    >>> typeset("σ_w of a layer < 1")
    '<var>σ</var><sub><var>w</var></sub> of a layer &lt; 1'
    >>> typeset("k^(-b)"), typeset("σ* = 0")
    ('<var>k</var><sup>−<var>b</var></sup>', '<var>σ</var>* = 0')
    >>> typeset(Name("b")), typeset("“b” has more")
    ('b', '“b” has more')
    >>> typeset("at 5 % of all")
    'at 5\xa0% of all'
    """
    if isinstance(words, Name):
        return escape(words, quote=False)
    words = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", words)
    marked = _LOWERED.sub(r"\1<sub>\2</sub>", escape(words, quote=False))
    marked = _RAISED.sub(lambda match: f"<sup>{(match[1] or match[2]).replace('-', '−')}</sup>", marked)
    parts = re.split(r"(<[^>]*>)", marked)
    parts[::2] = [_SYMBOL.sub(r"<var>\1</var>", part) for part in parts[::2]]
    return "".join(parts)

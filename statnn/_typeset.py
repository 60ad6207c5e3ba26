"""Symbols in the words of the page, set as in print: italic letters, sub- and superscripts, by HTML alone."""

import re
from html import escape

_SYMBOL = re.compile(
    r"(?<![A-Za-z'’&#.^_-])"  # not inside a word, nor an apostrophe's s, nor an entity
    r"(?P<letter>[A-Za-z]|[α-ωΣ])"
    r"(?:_(?P<below>[A-Za-z0-9]+)|\^(?P<above>[−α-ωA-Za-z0-9]+))?"
    r"(?P<star>\*)?"
    r"(?![A-Za-z'’;_-])"
)
_UPRIGHT = {"Σ"}
_WORDS = {"a", "A", "I"}
"""Letters that are words of English."""


def typeset(words: str) -> str:
    """Return words as HTML, with single letters as symbols, and what follows _ or ^ below or above them.

    Examples
    --------
    >>> typeset("σ_w of a layer < 1")
    '<var>σ</var><sub><var>w</var></sub> of a layer &lt; 1'
    >>> typeset("k^−α"), typeset("σ* = 0")
    ('<var>k</var><sup>−<var>α</var></sup>', '<var>σ</var>* = 0')
    """
    return _SYMBOL.sub(_set, escape(words, quote=False))


def _set(found: re.Match[str]) -> str:
    letter, below, above, star = found["letter"], found["below"], found["above"], found["star"] or ""
    if not below and not above and letter in _WORDS:
        return found[0]
    text = letter if letter in _UPRIGHT else f"<var>{letter}</var>"
    if below:
        text += f"<sub>{f'<var>{below}</var>' if len(below) == 1 and below.isalpha() else below}</sub>"
    if above:
        letters = re.sub("([A-Za-zα-ω])", r"<var>\1</var>", above)
        text += f"<sup>{letters}</sup>"
    return text + star

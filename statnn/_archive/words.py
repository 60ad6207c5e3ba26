"""Messages about files: one line that can be printed, whatever the files hold."""

from __future__ import annotations

_MOST, _END = 600, 150
"""Characters of a message, and of its end if the middle is left out."""


def line_of(error: object) -> str:
    r"""Return a message as one line: with escapes for what cannot be printed, and a very long one cut to its two ends.

    Examples
    --------
    >>> print(line_of(ValueError("no operator 'Ta\x1bnh'")))
    no operator 'Ta\x1bnh'
    >>> len(line_of("x" * 10**6))
    600
    """
    text = str(error)
    if len(text) > _MOST:
        text = f"{text[: _MOST - _END - 5]} ... {text[-_END:]}"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)

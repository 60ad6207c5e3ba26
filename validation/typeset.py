"""Equations as inline SVG, set by matplotlib's mathtext: neither a font nor a script nor the network is needed.

Computer Modern is drawn into one path in the colour of the text around it, so a page holds no ids that could
collide and follows light and dark schemes. Lengths are in em of the surrounding text.
"""

import re
from functools import cache
from html import escape
from typing import Any

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

_EM = 500  # units to an em: a unit is far below a pixel
_MARGIN = 20
FONT = FontProperties(math_fontfamily="cm")
_COMMANDS = {Path.MOVETO: "m", Path.LINETO: "l", Path.CURVE3: "q", Path.CURVE4: "c", Path.CLOSEPOLY: "z"}
# the depth of braces up to which a command has its full size, and its name there; in exponents fractions stay small
_DISPLAY = {r"\frac": (0, r"\dfrac"), r"\binom": (1, r"\genfrac{(}{)}{0}{0}")}
# where LaTeX leaves a thin space and mathtext none: after fractions and limits, and before large or long operators
_TIGHT = re.compile(
    r"(?<=[\])}]) (?=[\w(]|\\(?!leq|geq|mid|to|,))"
    r"|(?<=\w)(?<!\\leq)(?<!\\geq)(?<!\\to)(?<!\\mid) (?=\\(?:ln|sum|prod|int|operatorname|frac|binom)\b)"
)


@cache
def svg(latex: str) -> str:
    """Return the equation as an ``<svg>`` element whose label is its LaTeX source."""
    outline: Any = TextPath((0, 0), f"${displayed(latex)}$", size=_EM, prop=FONT)
    # outlines of Computer Modern have a point at every extreme, so no control point is outside by more than the margin
    drawn = outline.vertices[outline.codes != Path.CLOSEPOLY] * (1, -1)
    left, top = (round(least) - _MARGIN for least in drawn.min(axis=0))
    width, height = (round(size) + 2 * _MARGIN for size in np.ptp(drawn, axis=0))
    return (
        f'<svg role="img" aria-label="{escape(latex)}" viewBox="{left} {top} {width} {height}" '
        f'width="{width / _EM:.2f}em" height="{height / _EM:.2f}em">'
        f'<path fill="currentColor" d="{_commands(outline)}"/></svg>'
    )


def displayed(latex: str) -> str:
    """Do what LaTeX does by itself in a display: fractions in full size, thin spaces around operators."""
    depth, parts = 0, []
    for part in re.split(r"([{}]|\\frac\b|\\binom\b)", _TIGHT.sub(r"\\,", latex)):
        depth += (part == "{") - (part == "}")
        inside, display = _DISPLAY.get(part, (depth, part))
        parts.append(display if depth <= inside else part)
    return "".join(parts)


def _commands(outline: Any) -> str:
    """Return a path in SVG's relative commands, y downwards, in whole units."""
    parts: list[str] = []
    pen = start = [0, 0]
    corners = np.rint(outline.vertices * (1, -1)).astype(int).tolist()
    codes = outline.codes.tolist()
    at = 0
    while at < len(codes):
        code, first = codes[at], at
        at += Path.NUM_VERTICES_FOR_CODE[code]
        if code == Path.CLOSEPOLY:
            parts.append("z")
            pen = start
            continue
        steps = [f"{x - pen[0]} {y - pen[1]}" for x, y in corners[first:at]]
        parts.append(_COMMANDS[code] + " ".join(steps).replace(" -", "-"))
        pen = corners[at - 1]
        if code == Path.MOVETO:
            start = pen
    return "".join(parts)

"""Text of an SVG as text: searchable, editable, and the same everywhere, because its fonts are inside."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from html import unescape
from typing import Any

_STYLE = re.compile(r'style="([^"]*\bfont[^"]*)"')
_FAMILY = re.compile(r"'([^']+)'")
_TEXT = re.compile(r"<(?:text|tspan)\b[^>]*>([^<]*)<")


def embedded(svg: str) -> str:
    """Return an SVG of matplotlib in which the letters that it uses, from the fonts that it names, are embedded."""
    letters = frozenset(unescape("".join(_TEXT.findall(svg))))
    needed: dict[tuple[str, str, str], frozenset[str]] = {}
    for font in sorted(set(_STYLE.findall(svg))):
        slant = "italic" if "italic" in font else "normal"
        weight = "bold" if re.search(r"\b(?:bold|700)\b", font) else "normal"
        left = letters
        for family in _FAMILY.findall(font):  # the next family supplies the letters that the first lacks
            face = family, slant, weight
            there = left & _letters(_path(*face))
            needed[face] = needed.get(face, frozenset()) | there
            left -= there
    rules = "".join(
        f"@font-face{{font-family:'{face[0]}';font-style:{face[1]};font-weight:{face[2]};"
        f"src:url(data:font/ttf;base64,{base64.b64encode(_subset(_path(*face), wanted)).decode()})}}"
        for face, wanted in needed.items()
        if wanted
    )
    return svg.replace("<defs>", f"<defs>\n  <style>{rules}</style>", 1) if rules else svg


@cache
def _path(family: str, slant: Any, weight: str) -> str | None:
    from matplotlib.font_manager import FontProperties, findfont

    try:
        return str(findfont(FontProperties(family=[family], style=slant, weight=weight), fallback_to_default=False))
    except ValueError:
        return None


@cache
def _letters(path: str | None) -> frozenset[str]:
    from fontTools.ttLib import TTFont

    return frozenset(map(chr, TTFont(path, fontNumber=0).getBestCmap())) if path else frozenset()


def _subset(path: str | None, letters: frozenset[str]) -> bytes:
    """Return a font reduced to some of its letters, the same bytes each time."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options(notdef_outline=True, hinting=False, layout_features=[])
    options.drop_tables += ["FFTM"]  # time stamps of FontForge
    font, subsetter, written = TTFont(path, recalcTimestamp=False, fontNumber=0), Subsetter(options), io.BytesIO()
    subsetter.populate(text="".join(sorted(letters)))
    subsetter.subset(font)
    font.save(written, reorderTables=False)
    return written.getvalue()

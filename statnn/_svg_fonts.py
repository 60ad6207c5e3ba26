"""Letters of an SVG as letters: searchable, editable, and the same everywhere, since their outlines travel with it."""

import base64
import io
import re
from functools import cache
from html import unescape

_STYLE = re.compile(r'style="([^"]*\bfont[^"]*)"')
_FAMILY = re.compile(r"'([^']+)'")
_TEXT = re.compile(r"<(?:text|tspan)\b[^>]*>([^<]*)<")


def embedded(svg: str) -> str:
    """Return an SVG of matplotlib with the letters that it uses, of the fonts that it names, inside."""
    letters = frozenset(unescape("".join(_TEXT.findall(svg))))
    faces: dict[tuple[str, str, str], bytes] = {}
    for font in sorted(set(_STYLE.findall(svg))):
        slant = "italic" if "italic" in font else "normal"
        weight = "bold" if re.search(r"\b(?:bold|700)\b", font) else "normal"
        wanted = letters
        for family in _FAMILY.findall(font):  # the next one for what the first has not
            outlines, wanted = _subset(family, slant, weight, frozenset(wanted))
            faces.setdefault((family, slant, weight), outlines)
    rules = "".join(
        f"@font-face{{font-family:'{family}';font-style:{slant};font-weight:{weight};"
        f"src:url(data:font/ttf;base64,{base64.b64encode(outlines).decode()})}}"
        for (family, slant, weight), outlines in faces.items()
        if outlines
    )
    return svg.replace("<defs>", f"<defs>\n  <style>{rules}</style>", 1) if rules else svg


@cache
def _subset(family: str, slant: str, weight: str, letters: frozenset[str]) -> tuple[bytes, frozenset[str]]:
    """Return the outlines of letters in a font, the same bytes each time, and the letters that it has not."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from matplotlib.font_manager import FontProperties, findfont

    try:
        properties = FontProperties(family=[family], style=slant, weight=weight)  # type: ignore[arg-type]
        path = findfont(properties, fallback_to_default=False)
    except ValueError:
        return b"", letters
    font = TTFont(path, recalcTimestamp=False, fontNumber=0)
    there = letters & {chr(code) for code in font.getBestCmap()}
    if not there:
        return b"", letters
    options = Options(notdef_outline=True, hinting=False, layout_features=[])
    options.drop_tables += ["FFTM"]  # times of the maker of the font
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(there)))
    subsetter.subset(font)
    written = io.BytesIO()
    font.save(written, reorderTables=False)
    return written.getvalue(), letters - there

"""Figures that notebooks show, although pyplot does not know them."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class Page(Figure):
    """A figure that a notebook shows when it is the last expression of a cell."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()

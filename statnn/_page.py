"""Figures that notebooks show, although pyplot does not know them."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class Page(Figure):
    """A figure that is shown where it stands last in a cell."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()

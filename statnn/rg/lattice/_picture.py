"""The picture of a linearised flow."""

from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._axes import COLOURS, axes

if TYPE_CHECKING:
    from statnn.rg.lattice._linearised import LinearisedFlow


def draw(flow: "LinearisedFlow", ax: Any | None) -> Any:
    """Draw exponents against the number of operators, filled marks for y_t and open ones for y_h."""
    ax = axes(ax)
    steps = len(flow.shapes) - 1
    for symbol, y, error, filled in (
        ("$y_t$", flow.y_t, flow.y_t_error, True),
        ("$y_h$", flow.y_h, flow.y_h_error, False),
    ):
        for n in range(steps if y.size else 0):
            here, there = ("×".join(map(str, shape)) for shape in flow.shapes[n : n + 2])
            ax.errorbar(
                np.arange(1, y.shape[1] + 1) + 0.08 * (n - (steps - 1) / 2),
                y[n],
                error[n],
                fmt="-" + "os^Dv<>"[n % 7],
                color=COLOURS[n % len(COLOURS)],
                fillstyle="full" if filled else "none",
                linewidth=1,
                label=f"{symbol}, {here} → {there}",
            )
    ax.set(xlabel="number of operators", ylabel=r"exponent $y = \ln\lambda/\ln b$")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax

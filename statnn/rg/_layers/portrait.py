r"""Flow diagrams: flow lines, fixed points and separatrices of a family, and a trajectory in them.

Flow lines of binary layers conserve e^{2K} sinh h, as powers of a matrix share its eigenvectors; those of linear layers
conserve s/(1 - w²), the stationary variance. Noisy layers are drawn with arrows of one projected doubling.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._arguments import Floats
from statnn._axes import COLOURS, ink

LINES: dict[str, Any] = {"color": "#999999", "linewidth": 0.8, "zorder": 1}
SEPARATRIX: dict[str, Any] = {"color": COLOURS[1], "linewidth": 1.8, "zorder": 2}
NOISY_WEIGHTS, NOISY_NOISES = (x / (1 - x) for x in (np.linspace(0.15, 0.9, 9), np.linspace(0.07, 0.85, 7)))
PARTED_WELLS = 1e-9
HIGHEST = 1.5
"""Largest weight in the diagram of linear layers."""


def binary_place(couplings: Floats) -> Floats:
    """Return (tanh K, tanh h)."""
    return np.tanh(couplings)


def linear_place(couplings: Floats) -> Floats:
    """Return (w, s/(1+s))."""
    return np.column_stack([couplings[:, 0], couplings[:, 2] / (1 + couplings[:, 2])])


def noisy_place(couplings: Floats) -> Floats:
    """Return (w/(1+w), ε/(1+ε))."""
    w, noise = np.abs(couplings[:, 0]), couplings[:, 2]
    return np.column_stack([w / (1 + w), noise / (1 + noise)])


def binary_line(invariant: float) -> Floats:
    """Return the flow line e^{2K} sinh h = `invariant` in (tanh K, tanh h), from order to disorder, (points, 2)."""
    t = np.append(np.linspace(1, 0, 200), 0.0)
    h = np.arcsinh(invariant * (1 - t) / (1 + t))
    return np.column_stack([t, np.tanh(h)])


def linear_line(variance: float) -> Floats:
    """Return the flow line s = `variance` |1 - w²| in (w, s/(1+s)), from w = 1 to 0 and up, shape (points, 2)."""
    w = np.concatenate([np.linspace(HIGHEST, 1, 100), np.linspace(1, 0, 100)])
    return linear_place(np.column_stack([w, 0 * w, variance * np.abs(1 - w**2)]))


def _arrow(ax: Any, line: Floats, at: int, step: int = 4) -> None:
    ax.annotate("", line[at + step], line[at], arrowprops={"arrowstyle": "->", "color": "#666666", "lw": 0.9})


def spin_portrait(ax: Any, couplings: Floats) -> Floats:
    """Draw the flow of binary layers of width one, and return the positions of couplings in it."""
    for size in (0.3, 1.0, 3.0, 12.0, 80.0):
        for invariant in (size, -size):
            line = binary_line(invariant)
            ax.plot(*line.T, **LINES)
            _arrow(ax, line, int(np.argmin(np.abs(np.abs(line[:, 1]) - 0.55 * abs(line[-1, 1])))))
    ax.plot([0, 1], [0, 0], **SEPARATRIX, label="separatrix $h = 0$")
    ax.plot([0, 0], [-1, 1], color=COLOURS[2], linewidth=3, zorder=2, label="fixed points $K = 0$", clip_on=False)
    ax.plot([1], [0], "s", color=ink(), markersize=8, zorder=5, label="ordered: $y_t = y_h = 1$", clip_on=False)
    ax.set(xlabel="$\\tanh K$", ylabel="$\\tanh h$", xlim=(-0.02, 1.02), ylim=(-1.02, 1.02))
    return binary_place(couplings)


def linear_portrait(ax: Any, couplings: Floats) -> Floats:
    """Draw the flow of linear layers of width one, and return the positions of couplings in it."""
    for variance in (0.1, 0.3, 0.8, 2.0, 6.0, 30.0):
        line = linear_line(variance)
        ax.plot(*line.T, **LINES)
        _arrow(ax, line[:100][::-1], 50)
        _arrow(ax, line[100:], 45)
    ax.plot([0, HIGHEST], [0, 0], **SEPARATRIX, label="no noise")
    ax.plot([0, 0], [0, 1], color=COLOURS[2], linewidth=3, zorder=2, label="fixed points $w = 0$", clip_on=False)
    ax.plot([1], [0], "s", color=ink(), markersize=8, zorder=5, label="critical: $y_w = 1$", clip_on=False)
    ax.set(xlabel="$w$", ylabel="$s/(1+s)$", xlim=(-0.03, HIGHEST), ylim=(-0.02, 1))
    return linear_place(couplings)


def draw_arrows(ax: Any, grid: Floats, images: Floats) -> None:
    """Draw one doubling as arrows of a common length, with the fixed points of tanh-like layers."""
    start, shift = noisy_place(grid), noisy_place(images) - noisy_place(grid)
    there = np.isfinite(shift).all(axis=1)
    length = np.hypot(*shift[there].T)[:, None]
    unit = 0.045 * shift[there] / length * np.minimum(1, length / 0.03) ** 0.5
    ax.quiver(*start[there].T, *unit.T, angles="xy", scale_units="xy", scale=1, color="#999999", width=0.004, zorder=1)
    ax.plot([0, 1], [0, 0], **SEPARATRIX, label="no noise", clip_on=False)
    ax.plot(
        [0.5], [0], "s", color=ink(), markersize=8, zorder=5, label="critical: $y_w = y_\\epsilon = 1$", clip_on=False
    )
    ax.plot([0], [1], "v", color=ink(), markersize=8, zorder=5, label="disordered", clip_on=False)
    ax.plot([1], [0], "^", color=ink(), markersize=8, zorder=5, label="ordered", clip_on=False)
    ax.set(xlabel="$w/(1+w)$", ylabel="$\\epsilon/(1+\\epsilon)$", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))

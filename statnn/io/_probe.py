"""What a source computes, compared with the network that was read from it.

Parameters do not say everything: a hook, a parametrisation or a forward of its own may change what an object computes.
So it is run on a few rows of inputs, from zero to a hundred, and what it returns must be what the network returns, up
to rounding. How much rounding may do is measured: on the same rows every value that the network computes with is
changed in its last digit, at random [backward error analysis]. Where such changes decide the outputs, as in deep
chaotic networks, nothing can be compared, and nothing is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn.io._chain import Probabilities, Step
from statnn.network import Network
from statnn.network._array import Reals

_ROWS, _TIMES = 4, 4
_SCALES = (0.0, 0.01, 1.0, 100.0)


@dataclass(frozen=True)
class Runner:
    """How to run a source.

    Parameters
    ----------
    run : callable
        Rows of inputs in, rows of outputs out.
    what : str
        What is run, in words.
    causes : str
        What may make it compute something else, and the fix.
    digits : float
        Relative size of the last digit in which it computes.
    """

    run: Callable[[Reals], Any]
    what: str
    causes: str
    digits: float


def compare(net: Network, runner: Runner, last: Step) -> None:
    """Raise `ValueError` where a source computes something else than the network."""
    rng = np.random.default_rng(0)
    x = np.concatenate([scale * rng.standard_normal((_ROWS, net.widths[0])) for scale in _SCALES]).astype(net.dtype)
    try:
        theirs = np.asarray(runner.run(x))
    except MemoryError:
        raise
    except Exception as error:  # it is a program of others, which may raise anything
        raise ValueError(f"{runner.what} does not run on rows of {net.widths[0]} numbers: {error}") from error
    final = last.of if isinstance(last, Probabilities) else np.asarray
    if theirs.shape != (len(x), net.widths[-1]) or theirs.dtype.kind != "f":
        raise ValueError(
            f"{runner.what} returns {theirs.dtype} of shape {theirs.shape} for {len(x)} rows, its parameters say "
            f"{net.dtype} of shape {(len(x), net.widths[-1])}: {runner.causes}"
        )
    digits = max(runner.digits, float(np.finfo(net.dtype).eps))
    with np.errstate(all="ignore"):  # rows that leave the range are not compared
        ours = final(_outputs(net, x, 0.0, rng))
        shaken = np.stack([final(_outputs(net, x, digits, rng)) for _ in range(_TIMES)])
        moved = np.abs(shaken - ours).reshape(_TIMES, len(_SCALES), -1).max(axis=(0, 2))
        largest = np.abs(ours).reshape(len(_SCALES), -1).max(axis=1)
        allowed = np.repeat((16 + np.sqrt(max(net.widths))) * (moved + digits * largest), _ROWS)
        in_range = np.isfinite(allowed)
        if digits > np.finfo(np.float32).eps:  # 16 bits of theirs may end where ours go on
            in_range &= np.isfinite(theirs).all(axis=1)
        off = in_range & ~(np.abs(theirs - ours).max(axis=1) <= allowed + np.finfo(np.float32).tiny)
    if off.any():
        row = int(np.argmax(off))
        unit = int(np.argmax(np.abs(theirs[row] - ours[row])))
        raise ValueError(
            f"{runner.what} computes something else than its parameters say: output {unit} of a row of inputs is "
            f"{theirs[row, unit]:.6g} instead of {ours[row, unit]:.6g}; {runner.causes}"
        )


def _outputs(net: Network, x: Reals, by: float, rng: np.random.Generator) -> Reals:
    """Return the outputs where all values are changed by up to this share of them."""

    def near(values: Reals, like: Reals) -> Reals:
        result: Reals = values * (1 + by * rng.uniform(-1, 1, like.shape)).astype(net.dtype)
        return result

    h = x
    for weight, bias, norm, sigma in zip(
        net.raw_weights, net.raw_biases, net.normalisations, net.activations, strict=True
    ):
        fields = near(h, h) @ weight.T
        fields = fields + near(bias, fields)
        if norm is not None:
            fields = (fields - near(norm.mean, fields)) * norm.scale.astype(net.dtype) + near(norm.beta, fields)
        h = sigma(fields)
    return h


"""Bare arrays by name, as a state dict of torch has them: parameters without the program that used them.

Names say layer and part, ``0.weight``, ``0.bias``, ``1.running_mean``; what they cannot say is which activation stood
between, nor the ε of a normalisation, for which 1e-5 is taken, as torch does.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from statnn.io._chain import Act, Dense, Norm, Step
from statnn.network import Activation, BatchNorm
from statnn.network._activation import activation as activation_of
from statnn.network._array import Reals

_DENSE = {"weight", "bias"}
_NORM = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key that puts ``2.weight`` before ``10.weight``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", name)]


def in_order(names: Sequence[str]) -> list[str]:
    """Return names in the order given, but those that differ in numbers alone in the order of these numbers.

    A dictionary or file may have them in alphabetical order, ``10.weight`` before ``2.weight``.

    Examples
    --------
    >>> in_order(["0.weight", "10.weight", "2.weight"]), in_order(["first.weight", "fc1.weight", "a.weight"])
    (['0.weight', '2.weight', '10.weight'], ['first.weight', 'fc1.weight', 'a.weight'])
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(_unnumbered(name), []).append(name)
    sorted_ones = {pattern: iter(sorted(some, key=natural)) for pattern, some in alike.items()}
    return [next(sorted_ones[_unnumbered(name)]) for name in names]


def _unnumbered(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def steps(
    arrays: Mapping[str, Reals], activation: str | Activation | Sequence[str | Activation] | None, notes: list[str]
) -> list[Step]:
    """Return the chain that arrays by name describe, in their order and that of their numbers."""
    given: dict[str, dict[str, Reals]] = {}
    for name, array in arrays.items():
        group, _, part = name.rpartition(".")
        given.setdefault(group, {})[part] = array
    groups = {group: given[group] for group in in_order(list(given))}
    found: list[tuple[str, Dense | Norm]] = [(group, _step(group, parts)) for group, parts in groups.items()]
    depth = sum(isinstance(step, Dense) for _, step in found)
    if not depth:
        raise ValueError(
            f"none of its arrays is the weight of a layer: {_few(arrays)}; names end in '.weight' and '.bias', as in a "
            "state dict of torch"
        )
    sigmas = iter(_one_a_layer(activation, depth))
    result: list[Step] = []
    for m, (group, step) in enumerate(found):
        result.append(step)
        follower = found[m + 1] if m + 1 < len(found) else None
        if isinstance(step, Norm):
            if m == 0 or not isinstance(found[m - 1][1], Dense) or not _next(found[m - 1][0], group):
                raise ValueError(
                    f"normalisation {group!r} does not directly follow a dense layer: names alone do not say where an "
                    "activation stood; pass the torch module itself, or an ONNX export"
                )
            notes.append(f"{group}: epsilon is not among the arrays, 1e-05 is taken, as torch does")
        if isinstance(step, Norm) or follower is None or not isinstance(follower[1], Norm):
            result.append(Act(next(sigmas), group))
    return result


def _step(group: str, parts: dict[str, Reals]) -> Dense | Norm:
    where = group or "the arrays"
    if "running_mean" in parts and set(parts) <= _NORM and "running_var" in parts:
        try:
            norm = BatchNorm(parts["running_mean"], parts["running_var"], parts.get("weight"), parts.get("bias"))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from None
        return Norm(norm, where)
    if "weight" not in parts or not set(parts) <= _DENSE or parts["weight"].ndim != 2:
        shapes = ", ".join(f"{part} of shape {array.shape}" for part, array in parts.items())
        raise ValueError(f"{where}: {shapes}; a dense layer has a matrix 'weight' of shape (out, in) and a 'bias'")
    for part, array in parts.items():
        if array.dtype.kind != "f":
            raise ValueError(f"{where}: {part} holds {array.dtype}, real numbers are needed")
    return Dense(parts["weight"], parts.get("bias"), where)


def _next(one: str, two: str) -> bool:
    """Whether the second name has the index that follows that of the first, as neighbours in a Sequential do."""
    head, _, last = one.rpartition(".")
    other, _, after = two.rpartition(".")
    return head == other and last.isdecimal() and after.isdecimal() and int(after) == int(last) + 1


def _one_a_layer(value: Any, depth: int) -> list[Activation]:
    if value is None:
        raise ValueError(
            f"these are bare arrays of {depth} dense layers, which say nothing of activations: pass activation=, one "
            "name for all layers or one a layer, for example ['relu', 'identity']"
        )
    if isinstance(value, str | Activation):
        return [activation_of(value)] * depth
    found = [activation_of(one) for one in value]
    if len(found) != depth:
        raise ValueError(f"activation has {len(found)} entries for {depth} layers; pass one for all, or one a layer")
    return found


def _few(arrays: Mapping[str, Any]) -> str:
    names = [repr(name[:40]) for name in list(arrays)[:5]]
    return ", ".join(names) + (", ..." if len(arrays) > 5 else "") if names else "there are none"


def plain(values: Any, name: str) -> Reals:
    """Return a numpy array of one tensor of torch, or of anything that is an array already."""
    for step in ("detach", "cpu"):
        if hasattr(values, step):
            values = getattr(values, step)()
    if "float16" in str(getattr(values, "dtype", "")) and hasattr(values, "float"):
        values = values.float()  # numpy has no bfloat16, and networks have no float16
    array = np.asarray(values)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {array.dtype}, not real numbers")
    return array

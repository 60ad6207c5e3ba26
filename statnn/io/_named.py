"""Bare arrays by name, as a state dict of torch has them: parameters without the program that used them.

Names say layer and part, ``0.weight``, ``0.bias``, ``1.running_mean``; they say neither which activation stood
between, nor the ε of a normalisation, for which 1e-5 is taken, as torch does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from statnn._arguments import array_of
from statnn._arrays import Reals
from statnn.io._chain import Act, Dense, Norm, Step
from statnn.io._order import in_order, listed
from statnn.network import Activation, BatchNorm
from statnn.network._activation import activation as activation_of

_DENSE = {"weight", "bias"}
_ADAPTER = re.compile(r"(^|\.)lora_")
_NORM = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


def steps(
    arrays: Mapping[str, Reals],
    activation: str | Activation | Sequence[str | Activation] | None,
    layers: Sequence[str] | None,
    notes: list[str],
    *,
    kept: bool,
    made: bool,
) -> list[Step]:
    """Return the chain that arrays by name describe; `in_order` says what `layers`, `kept` and `made` mean."""
    if adapters := [name for name in arrays if _ADAPTER.search(name)]:
        raise ValueError(
            f"{listed(adapters)} are adapters (LoRA), which change the weights of a layer and are none: merge them "
            "first, by merge_and_unload() of peft, and pass the arrays of what that returns"
        )
    groups: dict[str, dict[str, Reals]] = {}
    for name, array in arrays.items():
        group, _, part = name.rpartition(".")
        groups.setdefault(group, {})[part] = array
    steps_of = {group: _step(group, parts) for group, parts in groups.items()}
    dense = {group: step for group, step in steps_of.items() if isinstance(step, Dense)}
    if not dense:
        raise ValueError(
            f"none of its arrays is the weight of a layer: {listed(list(arrays)) or 'there are none'}; names end in "
            "'.weight' and '.bias', as in a state dict of torch"
        )
    norms = {_before(group, dense): (group, step) for group, step in steps_of.items() if isinstance(step, Norm)}
    if isinstance(layers, list | tuple):  # a normalisation may be listed right after its layer
        layers = [name for m, name in enumerate(layers) if not (m and norms.get(layers[m - 1], ("",))[0] == name)]
    sigmas = _one_a_layer(activation, len(dense))
    order = in_order({group: step.weight.shape for group, step in dense.items()}, layers, kept=kept, made=made)
    result: list[Step] = []
    for group, sigma in zip(order, sigmas, strict=True):
        result.append(dense[group])
        if group in norms:
            name, norm = norms[group]
            notes.append(f"{name}: epsilon is not among the arrays, 1e-05 is taken, as torch does")
            result.append(norm)
        result.append(Act(sigma, group))
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
        raise ValueError(
            f"{where}: {shapes}; a dense layer has a matrix 'weight' of shape (out, in) and a 'bias': give arrays that "
            "are such these names, '0.weight', '0.bias', '1.weight', ... (kernels of shape (in, out), as of Keras and "
            "Flax, transposed), and leave out only what takes no part in the outputs, for other layers are not read"
        )
    for part, array in parts.items():
        if array.dtype.kind != "f":
            raise ValueError(
                f"{where}: {part} holds {array.dtype}, real numbers are needed: array.astype(float) makes them, and of "
                "a quantised network take the weights from before"
            )
    return Dense(parts["weight"], parts.get("bias"), where)


def _before(norm: str, dense: Mapping[str, Any]) -> str:
    """Return the dense layer whose index in a Sequential comes just before: no activation fits between."""
    head, _, index = norm.rpartition(".")
    if index.isascii() and index.isdecimal() and len(index) < 19:
        name = ".".join([head] * bool(head) + [str(int(index) - 1)])
        if name in dense:
            return name
    raise ValueError(
        f"normalisation {norm!r} does not directly follow a dense layer: names alone do not say where an activation "
        "stood; pass the torch module itself, or an ONNX export"
    )


def _one_a_layer(value: Any, depth: int) -> list[Activation]:
    if value is None:
        raise ValueError(
            f"these are bare arrays of {depth} dense layers, which do not name activations: pass activation=, one "
            "name for all layers or one per layer, for example ['relu', 'identity']"
        )
    if isinstance(value, str | Activation) or not isinstance(value, Iterable):
        return [activation_of(value)] * depth
    sigmas = [activation_of(entry) for entry in value]
    if len(sigmas) != depth:
        raise ValueError(f"activation has {len(sigmas)} entries for {depth} layers; pass one for all, or one per layer")
    return sigmas


def plain(values: Any, name: str) -> Reals:
    """Return a numpy array of one tensor of torch, or of anything that is an array already."""
    if getattr(values, "is_meta", False):
        raise ValueError(f"{name} lies on the device 'meta': it has a shape and no numbers; load the parameters first")
    try:
        for step in ("detach", "cpu", "resolve_conj", "resolve_neg"):
            if hasattr(values, step):
                values = getattr(values, step)()
        dtype = getattr(values, "dtype", "")
        if "float16" in getattr(dtype, "name", str(dtype)):  # networks have no float16, and numpy no bfloat16
            values = values.float() if hasattr(values, "float") else values.astype(np.float32)
        array = values if isinstance(values, np.ndarray | list | tuple) else np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is not a plain array of numbers: {error}") from None
    array = array_of(array, name)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {array.dtype}, not real numbers")
    return array.astype(array.dtype.newbyteorder("="), copy=False)

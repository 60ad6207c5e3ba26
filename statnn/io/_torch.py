"""Chains of torch modules, recognised by class name: torch itself is never imported.

A module of torch's own computes what its class says, so a `Sequential` of them can be read. The `forward` of another
class is a program and cannot be read, unless the caller says which activation it is. Hooks are programs, too, but most
of them only record: the module is run once, and refused if it computes something else than what was read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from statnn._arrays import Reals
from statnn.io import _probe
from statnn.io._chain import SOFTPLUS_LINE, Act, Dense, Norm, Probabilities, Step
from statnn.io._named import plain
from statnn.network import Activation, BatchNorm, leaky_relu
from statnn.network._activation import known_as

_IDLE = {"Identity", "Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout", "Flatten"}
_CAUSES = (
    "a hook, a parametrisation or another forward changes it; remove it, or export the module with torch.onnx.export "
    "and load the file"
)
_SUPPORTED = (
    "Sequential, Linear, BatchNorm1d, Tanh, ReLU, LeakyReLU, Sigmoid, GELU, SiLU, Softplus, Identity, Dropout, "
    "Flatten, last Softmax, and what `activations` names"
)
_INNER = ("module", "_orig_mod")
"""Attributes in which torch's own wrappers keep their module: for several devices, averaged weights, or compilation."""
_Part: TypeAlias = tuple[str, Any, "Step | None"]
"""Its place in words, the module, and its step, None if it is idle."""


def is_module(thing: Any) -> bool:
    """Whether this is a torch module, by the looks of it."""
    return all(callable(getattr(thing, name, None)) for name in ("named_children", "state_dict", "forward"))


def steps(module: Any, notes: list[str], own: Mapping[str, Activation]) -> list[Step]:
    """Return the chain of a Sequential, or of one dense layer; `own` are activations by path or class of a part."""
    if getattr(module, "training", False):
        notes.append("the module is in training mode; read as after .eval(): running statistics, no dropout")
    if any(part._forward_hooks or part._forward_pre_hooks for part in module.modules()):  # noqa: SLF001 - no other name
        notes.append("the module has hooks; they were called once, with rows of inputs made for a comparison")
    return [step for _, _, step in _read(module, own) if step is not None]


def refuse_other(module: Any, units: int, own: Mapping[str, Activation]) -> None:
    """Raise `ValueError` if a module computes something else than its parts say.

    It is run once, as in use. Each part gets what the one before gave, unless a hook or another forward changed it.
    """
    parts = _read(module, own)
    weight = next(leaf.weight for _, leaf, step in parts if isinstance(step, Dense))
    torch, x = sys.modules["torch"], _probe.rows(units)
    try:
        inputs, output = _run(torch, module, {id(leaf): leaf for _, leaf, _ in parts}, torch.as_tensor(x).to(weight))
    except MemoryError:
        raise
    except Exception as error:  # a program of others may raise anything
        raise ValueError(f"the module does not run on rows of {units} numbers: {error}; {_CAUSES}") from error
    if len(inputs) != len(parts):
        raise ValueError(f"the module runs {len(inputs)} parts, and {len(parts)} were read: {_CAUSES}")
    exact = weight.device.type == "cpu" and torch.get_float32_matmul_precision() == "highest"
    limits = torch.finfo(weight.dtype if exact else torch.bfloat16)  # products may be as coarse as bfloat16
    stages = [("the inputs", None), *((where, step) for where, _, step in parts)]
    for (where, step), before, after in zip(stages, [x, *inputs], [*inputs, output], strict=True):
        named = isinstance(step, Act) and step.activation in own.values()
        why = ("`activations` says, {}: pass what it computes", f"its parameters say, {{}}: {_CAUSES}")[not named]
        what = f"{where}: computes something else than {why}"
        _probe.refuse_other([] if step is None else [step], before, after, limits, what)


def _run(torch: Any, module: Any, leaves: dict[int, Any], x: Any) -> tuple[list[Reals], Reals]:
    """Return what went into each part, in the order of the calls, and what came out at the end."""
    inputs: list[Reals] = []

    def note(_: Any, given: Any) -> None:
        inputs.append(plain(given[0].clone(), "an input"))  # activations may overwrite it

    modes = [(part, part.training) for part in module.modules()]
    handles = [leaf.register_forward_pre_hook(note, prepend=True) for leaf in leaves.values()]
    try:
        for part, _ in modes:
            part.training = False
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            return inputs, plain(module(x), "its output")
    finally:
        for handle in handles:
            handle.remove()
        for part, training in modes:
            part.training = training


def _read(module: Any, own: Mapping[str, Activation]) -> list[_Part]:
    """Return the parts of a module in the order in which they act."""
    known: dict[int, tuple[Any, Reals]] = {}  # tied parameters are one array; the tensor is kept, and with it its id
    parts: list[_Part] = []
    unused = set(own)
    for where, path, leaf, kind in _leaves(module, "", own):
        if named := _named_in(own, path, kind):
            unused.discard(named)
            parts.append((where, leaf, Act(own[named], where)))
            continue
        began = any(step is not None for _, _, step in parts)
        if kind == "Flatten" and (began or (leaf.start_dim, leaf.end_dim) != (1, -1)):
            raise ValueError(f"{where}: Flatten is supported as the first step only, where it flattens whole inputs")
        parts.append((where, leaf, None if kind in _IDLE else _step(leaf, kind, where, known)))
    for name in sorted(unused):
        raise ValueError(
            f"activations has {name!r}, which is neither the path of a part nor the class of one without its own path "
            f"there; the parts are {', '.join(where for where, _, _ in parts)}"
        )
    return parts


def _named_in(own: Mapping[str, Activation], path: str, kind: str) -> str | None:
    """Return the name of a part among activations: its path, since one of a class may have its own, or its class."""
    return next((name for name in (path, kind) if name in own), None)


def _step(leaf: Any, kind: str, where: str, known: dict[int, tuple[Any, Reals]]) -> Step:
    if kind == "Linear":
        bias = None if leaf.bias is None else _array(leaf.bias, where, known)
        return Dense(_array(leaf.weight, where, known), bias, where)
    if kind == "BatchNorm1d":
        return Norm(_norm(leaf, where, known), where)
    sigma = known_as("torch", kind, lambda name: getattr(leaf, name), where)
    if sigma is not None:
        return Act(sigma, where, slack=SOFTPLUS_LINE if kind == "Softplus" else 0.0)
    if kind == "LeakyReLU":
        return Act(leaky_relu(leaf.negative_slope), where)
    if kind in {"Softmax", "LogSoftmax"}:
        if leaf.dim not in {1, -1}:
            raise ValueError(f"{where}: {kind} is supported over classes, dim 1 or -1, and as the last step only")
        return Probabilities("softmax" if kind == "Softmax" else "log-softmax", where)
    if kind.startswith("Lazy"):
        raise ValueError(f"{where}: {kind} gets its parameters with its first input: run the module on a sample first")
    raise ValueError(f"{where}: torch module {kind} is not supported; supported are {_SUPPORTED}")


def _leaves(module: Any, name: str, own: Mapping[str, Activation]) -> Iterator[tuple[str, str, Any, str]]:
    """Yield modules in the order in which they act: in words, by path, the module, and the name of its class."""
    kind, home = type(module).__name__, type(module).__module__
    where = f"module {name!r} ({kind})" if name else f"the module ({kind})"
    if _named_in(own, name, kind):
        yield where, name, module, kind
        return
    if not home.startswith("torch.nn.modules."):
        inner = next((name for name in _INNER if is_module(getattr(module, name, None))), "")
        if inner and home.startswith("torch."):
            raise ValueError(f"{where}: wraps a module, and what is inside is read; pass its .{inner}")
        if home.startswith("torch.ao."):
            raise ValueError(f"{where}: holds quantised numbers; pass the module as it was before it was quantised")
        raise ValueError(
            f"{where}: its class is not one of torch's own, and what its forward() does cannot be read; pass a "
            "torch.nn.Sequential of its layers (of weight or spectral norm after "
            "torch.nn.utils.parametrize.remove_parametrizations), its state_dict() with activation=, or export it with "
            "torch.onnx.export and load the file"
            + ("" if list(module.children()) else f"; of an activation, say which: activations={{{kind!r}: ...}}")
        )
    if "forward" in vars(module):
        raise ValueError(f"{where}: its forward() was replaced, and what another does cannot be read: restore it first")
    if kind == "Sequential":
        for child, inner in enumerate(module):  # named_children() would leave out a module that acts twice
            yield from _leaves(inner, f"{name}.{child}" if name else str(child), own)
    else:
        yield where, name, module, kind


def _array(tensor: Any, where: str, known: dict[int, tuple[Any, Reals]]) -> Reals:
    if id(tensor) not in known:
        known[id(tensor)] = (tensor, plain(tensor, where))
    return known[id(tensor)][1]


def _norm(leaf: Any, where: str, known: dict[int, tuple[Any, Reals]]) -> BatchNorm:
    if leaf.running_mean is None or leaf.running_var is None:
        raise ValueError(f"{where}: keeps no running statistics, so outputs depend on the whole batch: train with them")
    gamma, beta = (None if p is None else _array(p, where, known) for p in (leaf.weight, leaf.bias))
    mean, variance = (_array(buffer, where, known) for buffer in (leaf.running_mean, leaf.running_var))
    return BatchNorm(mean, variance, gamma, beta, leaf.eps)

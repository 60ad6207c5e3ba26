"""Chains of torch modules, known by name: torch itself is never imported.

A module of torch's own computes what its class says, so a `Sequential` of them can be read. What the `forward` of
another class does is a program, and cannot be.
"""

from collections.abc import Iterator
from typing import Any

from statnn.io._chain import CLASSES_KEPT, Act, Dense, Norm, Step
from statnn.io._named import plain
from statnn.network import ACTIVATIONS, BatchNorm, leaky_relu
from statnn.network._array import Reals

_ACTIVATIONS = {"Tanh": "tanh", "ReLU": "relu", "Sigmoid": "sigmoid"}
_IDLE = {"Identity", "Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout"}
_PROBABILITIES = {"Softmax": "softmax", "LogSoftmax": "log-softmax"}
_READ = "Sequential, Linear, BatchNorm1d, Tanh, ReLU, LeakyReLU, Sigmoid, Identity, Dropout, Flatten, last Softmax"


def is_module(thing: Any) -> bool:
    """Whether this is a torch module, by the looks of it."""
    return all(callable(getattr(thing, name, None)) for name in ("named_children", "state_dict", "forward"))


def steps(module: Any, notes: list[str]) -> list[Step]:
    """Return the chain of a Sequential, or of one dense layer."""
    if getattr(module, "training", False):
        notes.append("the module is in training mode; read as after .eval(): running statistics, no dropout")
    leaves = list(_leaves(module, ""))
    known: dict[int, tuple[Any, Reals]] = {}  # tied parameters are one array; the tensor is kept, and with it its id
    found: list[Step] = []
    for position, (where, leaf, kind) in enumerate(leaves):
        if kind == "Flatten":
            if found or (leaf.start_dim, leaf.end_dim) != (1, -1):
                raise ValueError(f"{where}: Flatten is read where it flattens whole inputs, as the first step")
        elif kind in _PROBABILITIES:
            if position < len(leaves) - 1 or leaf.dim not in {1, -1}:
                raise ValueError(f"{where}: {kind} is read over classes and as the last step only")
            notes.append(CLASSES_KEPT.format(_PROBABILITIES[kind]))
        elif kind not in _IDLE:
            found.append(_step(leaf, kind, where, known))
    return found


def _step(leaf: Any, kind: str, where: str, known: dict[int, tuple[Any, Reals]]) -> Step:
    if kind == "Linear":
        bias = None if leaf.bias is None else _array(leaf.bias, where, known)
        return Dense(_array(leaf.weight, where, known), bias, where)
    if kind == "BatchNorm1d":
        return Norm(_norm(leaf, where, known), where)
    if kind in _ACTIVATIONS:
        return Act(ACTIVATIONS[_ACTIVATIONS[kind]], where)
    if kind == "LeakyReLU":
        return Act(leaky_relu(leaf.negative_slope), where)
    raise ValueError(f"{where}: torch module {kind} is not read; read are {_READ}")


def _leaves(module: Any, name: str) -> Iterator[tuple[str, Any, str]]:
    """Yield modules in the order in which they act, each with its path and the name of its class."""
    kind, home = type(module).__name__, type(module).__module__
    where = f"module {name!r} ({kind})" if name else f"the module ({kind})"
    if not home.startswith("torch.nn.modules."):
        raise ValueError(
            f"{where}: its class is not one of torch's own, and what its forward() does cannot be read; pass a "
            "torch.nn.Sequential of its layers, or export it with torch.onnx.export and load the file"
        )
    if getattr(module, "_forward_pre_hooks", None):
        raise ValueError(
            f"{where}: a hook changes it before it acts; remove it first, "
            "for example with torch.nn.utils.remove_weight_norm"
        )
    if kind == "Sequential":
        for child, inner in enumerate(module):  # named_children() would leave out a module that acts twice
            yield from _leaves(inner, f"{name}.{child}" if name else str(child))
    else:
        yield where, module, kind


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

"""ONNX graphs that are a chain of dense layers.

The package `onnx` decodes the file; the graph is then followed from its input to its output, operator by operator.
External data files are not opened, and operators are matched by name, not run.
"""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._arrays import Reals
from statnn._memory import refuse_beyond_memory
from statnn.io._chain import SOFTPLUS_LINE, Act, Affine, Dense, Norm, Probabilities, Step
from statnn.io._onnx_advice import ADVICE, advice
from statnn.io._onnx_patterns import ROUNDING, matched
from statnn.io._onnx_values import FLOATS, SHORT, STANDARD, Constants
from statnn.network import ACTIVATIONS, BatchNorm, leaky_relu
from statnn.network._activation import known_as

if TYPE_CHECKING:
    from collections.abc import Callable

_SUPPORTED = (
    "Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, Tanh, Relu, LeakyRelu, Sigmoid, Erf, Gelu, Swish, Softplus, "
    "Sin, Identity, Dropout, Flatten, Reshape and Cast of the inputs, last Softmax, and Cast and Concat where they "
    "change nothing; SiLU, GELU and softplus also as exporters write them with Sigmoid, Erf, Tanh or Where"
)
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("MatMul", "Add", "Sub", "Mul", "Div", "Identity"), ()),
    **{sigma.onnx[0]: tuple(name for name, _ in sigma.onnx[1:]) for sigma in ACTIVATIONS.values() if sigma.onnx},
    **dict.fromkeys(("Softmax", "LogSoftmax", "Flatten"), ("axis",)),
    "BatchNormalization": ("epsilon", "momentum", "spatial", "training_mode"),
    "Gemm": ("alpha", "beta", "transA", "transB"),
    "LeakyRelu": ("alpha",),
    "Reshape": ("allowzero",),
    "Cast": ("to", "saturate", "round_mode"),
    "Concat": ("axis",),
    "Dropout": ("ratio", "seed"),
}
"""Attributes of every operator that is read."""
_WITH_CONSTANTS = {"Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "BatchNormalization", "Reshape", "Dropout"}
_SLOPE, _EPSILON = float(np.float32(0.01)), float(np.float32(1e-5))  # defaults of ONNX
_STRING = 8  # TensorProto.DataType
_LONG = 10**7
"""Numbers of a row of inputs to which constants are repeated, however few the matrices take."""
_OLDEST = 7
"""Oldest operator set in which constants are broadcast and normalisations used as they are today."""


def read(path: Path) -> Any:
    """Return the model of a file."""
    size = path.stat().st_size
    refuse_beyond_memory(3.0 * size, f"{path}: decoding it", "use a machine with more memory")
    return decoded(path.read_bytes(), str(path))


def decoded(raw: bytes, name: str) -> Any:
    """Parse bytes as an ONNX model."""
    try:
        onnx, protobuf = import_module("onnx"), import_module("google.protobuf.message")
    except ImportError:
        raise ImportError(f"{name} is an ONNX file, and reading it needs onnx: pip install onnx") from None
    try:
        return onnx.ModelProto.FromString(raw)
    except (protobuf.DecodeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is not an ONNX file, or it is cut off or damaged: {error}") from None


def is_model(thing: Any) -> bool:
    """Whether this is a model of onnx, by the looks of it."""
    return hasattr(thing, "graph") and hasattr(thing, "opset_import")


def steps(model: Any, notes: list[str]) -> list[Step]:
    """Return the chain of a model."""
    del notes  # what is lost is noted where layers are made
    version = max((imported.version for imported in model.opset_import if imported.domain in STANDARD), default=1)
    if version < _OLDEST and any(node.domain in STANDARD for node in model.graph.node):
        raise ValueError(
            f"the graph uses version {version} of the operators, and those from {_OLDEST} on are supported: convert it "
            f"with onnx.version_converter.convert_version(model, {_OLDEST}), or export it anew for that version"
        )
    if any(function.domain in STANDARD for function in model.functions):
        raise ValueError(
            "the file redefines operators of ONNX by functions of its own, which is not supported: export it without"
        )
    own = {(function.domain, function.name) for function in model.functions}
    called = next((node.op_type for node in model.graph.node if (node.domain, node.op_type) in own), "")
    if called:
        raise ValueError(
            f"the graph calls {called!r}, a function of its file: write it out, "
            "onnx.inliner.inline_local_functions(model)"
        )
    try:
        return _Graph(model.graph).steps()
    except ValueError as problem:
        if model.producer_name != "skl2onnx":
            raise
        why = str(problem).partition(". Likely fix")[0]
        raise ValueError(
            f"{why}. Likely fix: give the fitted network of scikit-learn itself, load_network(mlp)"
        ) from None


class _Graph:
    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._constants = Constants(graph)
        self._shape: list[int] | None = None  # of the samples in the graph, 0 where a size is open; None: unknown
        self._chain: list[Step] = []
        self._given = self._kind = 0  # data types of the inputs, and of samples in the graph

    def steps(self) -> list[Step]:
        """Follow the graph from its input to its output."""
        inputs = [value for value in self._graph.input if value.name not in self._constants]
        outputs = [value.name for value in self._graph.output]
        if len(inputs) != 1 or len(outputs) != 1:
            names = ", ".join(map(str, [value.name for value in inputs][:6] + outputs[:6]))
            raise ValueError(
                f"the graph has {len(inputs)} inputs and {len(outputs)} outputs ({names}); one of each is needed: cut "
                "the network out with onnx.utils.extract_model(file, new_file, [input], [output])"
            )
        users: dict[str, list[Any]] = {}
        for node in _used(self._graph.node, outputs[0]):
            for name in _taken(node):
                users.setdefault(name, []).append(node)
        self._shape, self._given = _declared(inputs[0]), inputs[0].type.tensor_type.elem_type
        self._kind = self._given
        chain = self._chain
        now, walked = inputs[0].name, 0
        while now != outputs[0]:
            following = users.get(now, [])
            if len(following) != 1:
                pattern = matched(now, users, self._constant, SHORT.get(self._kind, ROUNDING))
                if pattern is None:
                    kinds = [node.op_type for node in following]
                    they = f" ({', '.join(map(str, kinds[:6]))})" if kinds else ""
                    raise ValueError(
                        f"value {now!r} goes to {len(kinds)} operators{they}: the graph is not a chain from input to "
                        "output, nor is this SiLU, GELU or softplus as exporters write them"
                        + (advice(next((kind for kind in kinds if kind in ADVICE), ""), now) if kinds else "")
                    )
                name, end = pattern
                slack = SOFTPLUS_LINE if name == "softplus" else 0.0
                chain.append(Act(ACTIVATIONS[name], f"{name} of {now!r}", slack))
                now, walked = end, walked + 1
                continue
            node = following[0]
            if len(node.output) == 0 or walked > len(self._graph.node):
                raise ValueError("the graph runs in a circle or ends without an output")
            step = self._step(node, now)
            if isinstance(step, Dense):
                self._shape = _after(step, self._shape, first=not any(isinstance(earlier, Dense) for earlier in chain))
            if step is not None:
                chain.append(step)
            now, walked = node.output[0], walked + 1
        return chain

    def _step(self, node: Any, now: str) -> Step | None:
        kind = node.op_type
        where = f"{kind} {node.name!r}" if node.name else kind
        _refuse_other(node, now, where)
        attributes = _attributes(node, where)
        known = known_as("onnx", kind, attributes.get, where)
        if known is not None:
            return Act(known, where)
        if kind == "LeakyRelu":
            return Act(leaky_relu(attributes.get("alpha", _SLOPE)), where)
        if kind == "Cast":
            self._cast(node, now, attributes.get("to"), where)
        if kind in {"Identity", "Concat", "Cast"}:
            return None
        if kind in {"Softmax", "LogSoftmax"}:
            if attributes.get("axis", -1) not in {1 - self._single(), -1}:
                raise ValueError(f"{where}: supported over classes, axis -1, and as the last step only")
            return Probabilities("softmax" if kind == "Softmax" else "log-softmax", where)
        table: dict[str, Callable[..., Step | None]] = {
            "Gemm": self._gemm, "MatMul": self._matmul, "Add": self._affine, "Sub": self._affine, "Mul": self._affine,
            "Div": self._affine, "BatchNormalization": self._norm, "Flatten": self._flatten, "Reshape": self._flatten,
            "Dropout": self._dropout,
        }  # fmt: skip
        return table[kind](node, now, attributes, where)

    def _cast(self, node: Any, now: str, to: Any, where: str) -> None:
        """Refuse changes of the type of numbers, except of inputs and of 16-bit outputs, as a network itself makes."""
        first = not self._chain and to in FLOATS and self._kind == self._given != _STRING
        first = first and (to not in SHORT or self._constants.are_short())  # or it rounds numbers used in more digits
        last = self._kind in SHORT and to in FLOATS and node.output[0] == self._graph.output[0].name
        if to != self._kind and not first and not last:
            raise ValueError(f"{where}: it changes the type of numbers, and one type is needed{advice('Cast', now)}")
        self._kind = to

    def _constant(self, name: str) -> Reals | None:
        return self._constants.array(name, name) if name in self._constants else None

    def _gemm(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Dense:
        if node.input[0] != now or not 2 <= len(node.input) <= 3 or attributes.get("transA", 0) or self._single():
            raise ValueError(f"{where}: the samples must be its first input, one in each row, not transposed")
        turn = not attributes.get("transB", 0)
        weight = self._matrix(node.input[1], where, turn=turn, factor=attributes.get("alpha", 1.0))
        bias = None
        if len(node.input) == 3 and node.input[2]:
            bias = self._vector(node.input[2], where, len(weight), attributes.get("beta", 1.0))
        return Dense(weight, bias, where)

    def _matmul(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Dense:
        del attributes  # it has none
        after = len(node.input) == 2 and node.input[1] == now and self._single()  # W x, of one sample without rows
        if not after and (len(node.input) != 2 or node.input[0] != now):
            raise ValueError(
                f"{where}: the samples must be its first input, one in each row, and weights its second (or it is W x "
                "of inputs that are one sample, of shape (n,)): export x W^T in the place of W x"
            )
        return Dense(self._matrix(node.input[0 if after else 1], where, turn=not after, factor=1.0), None, where)

    def _single(self) -> bool:
        """Whether a single sample flows through the graph, without an axis for others."""
        return self._shape is not None and len(self._shape) == 1

    def _affine(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Affine:
        del attributes  # it has none
        if len(node.input) != 2 or node.input[0] == node.input[1]:
            raise ValueError(
                f"{where}: a chain has the samples on one side and constants on the other{advice('', now)}"
            )
        left = node.input[0] == now
        other = self._in_rows(self._real(node.input[1] if left else node.input[0], where), where)
        if other.ndim > 2 - self._single() or (other.ndim and other.shape[-1] != other.size):
            raise ValueError(f"{where}: its constant of shape {other.shape} is not one number per unit")
        values = other.reshape(-1).astype(np.float64)
        ones, zeros = np.ones_like(values), np.zeros_like(values)
        if node.op_type == "Add":
            return Affine(ones, values, where)
        if node.op_type == "Mul":
            return Affine(values, zeros, where)
        if node.op_type == "Sub":
            return Affine(ones, -values, where) if left else Affine(-ones, values, where)
        if not left or not values.all():
            raise ValueError(f"{where}: only division by constants other than zero is supported")
        return Affine(1 / values, zeros, where)

    def _in_rows(self, constant: Reals, where: str) -> Reals:
        """Return a constant that acts on inputs before they are flattened, as one number for each input."""
        row = tuple(self._shape[1:]) if self._shape else ()
        if len(row) < 2 or 0 in row or constant.ndim == 0:
            return constant
        self._refuse_long(where)
        try:
            if constant.ndim > len(row) and constant.shape[: -len(row)] == (1,):
                constant = constant[0]
            return np.broadcast_to(constant, row).reshape(-1)
        except ValueError:
            raise ValueError(f"{where}: its constant of shape {constant.shape} does not fit samples of {row}") from None

    def _refuse_long(self, where: str) -> None:
        """Raise before a constant is repeated along rows that the file declares, but no matrix in it takes."""
        units = math.prod(self._shape[1:]) if self._shape else 0
        if units > max(_LONG, self._constants.longest()):
            raise ValueError(
                f"{where}: a row of inputs has {units:.3g} numbers, and no matrix of the file takes as many"
            )

    def _norm(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Norm:
        if len(node.input) != 5 or node.input[0] != now or attributes.get("training_mode", 0) or self._single():
            raise ValueError(
                f"{where}: needs samples in rows, scale, offset, running mean and variance, and no training mode: "
                "export it for use"
            )
        row = self._shape[2:] if self._shape else []  # of inputs that are flattened later: axis 1 holds channels
        if 0 in row:
            raise ValueError(
                f"{where}: acts on inputs whose size is left open: export the model for inputs of one size"
            )
        self._refuse_long(where)
        vectors = (self._vector(name, where, None) for name in node.input[1:])
        gamma, beta, mean, variance = (vector.repeat(math.prod(row)) for vector in vectors)
        try:
            return Norm(BatchNorm(mean, variance, gamma, beta, attributes.get("epsilon", _EPSILON)), where)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from None

    def _dropout(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> None:
        del attributes  # those of the oldest form; the ratio does not matter
        training = node.input[2] if len(node.input) > 2 else ""
        if node.input[0] != now or (training and self._constants.array(training, where).any()):
            raise ValueError(f"{where}: is in training mode, and its outputs are random: export the model as in use")

    def _flatten(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> None:
        rows, *row = self._shape or [0]
        units = math.prod(row) if self._shape else 0
        good = node.input[0] == now and (not self._chain or (len(row) > 0 and 0 not in row))
        if node.op_type == "Flatten":
            axis = attributes.get("axis", 1)
            axis += len(self._shape or ()) * (axis < 0)
            single = axis == 0 and self._single()
            good = good and (axis == 1 or single)
            rows, units = (1, rows) if single else (rows, units)  # one sample becomes one row
        else:
            shape = self._constants.array(node.input[1], where).reshape(-1).tolist() if len(node.input) == 2 else []
            first, second = shape if len(shape) == 2 else (-2, -2)
            known = units == 0 or second in {-1, units}
            same_rows = (first == 0 and not attributes.get("allowzero", 0)) or (first > 0 and first == rows)
            good = good and known and ((first == -1 and second > 0) or (same_rows and (second == -1 or second > 0)))
            units = units or max(second, 0)
        if not good and self._chain:
            raise ValueError(
                f"{where}: supported as the first step only, where it flattens whole inputs, and between layers where "
                "it is known to leave rows as they are: give inputs a fixed length, or export the layers after it alone"
            )
        if not good:
            raise ValueError(
                f"{where}: supported only where it makes one row of every sample: export torch.flatten(x, 1) or "
                "nn.Flatten() in the place of view and reshape, whose sizes may be computed in the graph"
            )
        self._shape = [rows, units]

    def _matrix(self, name: str, where: str, *, turn: bool, factor: float) -> Reals:
        array = self._real(name, where)
        if array.ndim != 2:
            raise ValueError(f"{where}: weights have shape {array.shape}, a matrix is needed")
        return self._constants.times((name, turn), array.T if turn else array, factor)

    def _vector(self, name: str, where: str, units: int | None, factor: float = 1.0) -> Reals:
        array = self._real(name, where)
        flat = array.reshape(-1)
        if units is None:
            return flat
        if flat.size not in {1, units} or array.ndim > 2 or (array.ndim and array.shape[-1] != flat.size):
            raise ValueError(f"{where}: biases have shape {array.shape}, {units} numbers are needed")
        return self._constants.times((name, units), np.broadcast_to(flat, units), factor)

    def _real(self, name: str, where: str) -> Reals:
        array = self._constants.array(name, where)
        if array.dtype.kind != "f":
            raise ValueError(f"{where}: {name!r} holds {array.dtype}, real numbers are needed")
        return array


def _taken(node: Any) -> set[str]:
    """Return the names of the values that an operator takes, also in its inner graphs, which see outer values."""
    inner = [
        inner_node
        for attribute in node.attribute
        for graph in (attribute.g, *attribute.graphs)
        for inner_node in graph.node
    ]
    return set(node.input).union(*map(_taken, inner))


def _used(nodes: Any, output: str) -> list[Any]:
    """Return the operators that lead to the output, in the order of the file: others have no effect on it."""
    makers = {name: m for m, node in enumerate(nodes) for name in node.output if name}
    used: set[int] = set()
    waiting = {output}
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker not in used:
            used.add(maker)
            waiting |= _taken(nodes[maker])
    if nodes and not used:
        raise ValueError(f"no operator makes the output {output!r} of the graph: export the network anew")
    return [nodes[m] for m in sorted(used)]


def _declared(value: Any) -> list[int] | None:
    """Return the shape that the file declares for a value, 0 for open sizes, or None if it declares none."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [max(size.dim_value, 0) for size in tensor.shape.dim]


def _after(dense: Dense, shape: list[int] | None, *, first: bool) -> list[int] | None:
    """Return the shape after a layer; refuse inputs that are not rows, or not of the length that the first takes."""
    if shape is None or dense.weight.ndim != 2:
        return None
    if not 1 <= len(shape) <= 2:
        raise ValueError(f"the graph takes inputs of shape {tuple(shape)}, and rows are needed: flatten them first")
    if first and shape[-1] and shape[-1] != dense.weight.shape[1]:
        raise ValueError(
            f"{dense.where}: takes {dense.weight.shape[1]} inputs, but a row of inputs has {shape[-1]} numbers"
        )
    return [*shape[:-1], len(dense.weight)]


def _refuse_other(node: Any, now: str, where: str) -> None:
    """Raise if an operator is not supported, or has other inputs or outputs than it should."""
    kind = node.op_type
    if node.domain not in STANDARD:
        raise ValueError(
            f"{where}: operators of the domain {node.domain!r} are not supported; supported are {_SUPPORTED}"
            + (advice(kind, now) if kind in ADVICE or node.domain == "com.microsoft" else "")
        )
    if kind not in _ATTRIBUTES or (kind == "Concat" and len(node.input) > 1):
        raise ValueError(f"{where}: this operator is not supported; supported are {_SUPPORTED}{advice(kind, now)}")
    if kind != "Dropout" and any(node.output[1:]):
        raise ValueError(f"{where}: has {len(node.output)} outputs, as in training; export the model as in use")
    if kind not in _WITH_CONSTANTS and list(node.input) != [now]:
        raise ValueError(f"{where}: has {len(node.input)} inputs, and the samples alone are needed: it is damaged")


def _attributes(node: Any, where: str) -> dict[str, Any]:
    """Return numbers and texts by name; floats are float32 in the file, and exactly those are used."""
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        name, known = attribute.name, attribute.type in {1, 2, 3} and not attribute.ref_attr_name
        if not known or name in attributes or name not in _ATTRIBUTES[node.op_type]:
            raise ValueError(
                f"{where}: attribute {name!r} is not one that it has, is given twice, or is not a number or text: the "
                "file is damaged; onnx.checker.check_model says more"
            )
        if attribute.type == 1:
            value = float(attribute.f)
            if not math.isfinite(value):
                raise ValueError(f"{where}: attribute {name!r} is {value}")
            attributes[name] = value
        else:
            attributes[name] = int(attribute.i) if attribute.type == 2 else attribute.s.decode("ascii", "replace")
    return attributes

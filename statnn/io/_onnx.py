"""ONNX graphs that are a chain of dense layers.

The package `onnx` decodes the file; the graph is then followed from its input to its output, operator by operator.
External data files are not opened, and operators are matched by name, not run.
"""

import math
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._memory import refuse_beyond_memory
from statnn.io._chain import CLASSES_KEPT, Act, Affine, Dense, Norm, Step
from statnn.network import ACTIVATIONS, BatchNorm, leaky_relu
from statnn.network._array import Reals

if TYPE_CHECKING:
    from collections.abc import Callable

_ACTIVATIONS = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid", "Erf": "erf"}
_IDLE = {"Identity", "Dropout"}
_PROBABILITIES = {"Softmax": "softmax", "LogSoftmax": "log-softmax"}
_READ = (
    "Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, Tanh, Relu, LeakyRelu, Sigmoid, Erf, Identity, Dropout, "
    "Flatten and Reshape of the inputs, last Softmax"
)
_SLOPE, _EPSILON = float(np.float32(0.01)), float(np.float32(1e-5))  # where the file leaves them out
_FLOAT, _INT64, _DOUBLE, _FLOAT16 = 1, 7, 11, 10  # TensorProto.DataType
_TYPES = {_FLOAT: "<f4", _DOUBLE: "<f8", _FLOAT16: "<f2", _INT64: "<i8"}


def read(path: Path) -> Any:
    """Return the model of a file."""
    size = path.stat().st_size
    refuse_beyond_memory(3.0 * size, f"{path}: decoding it", "use a machine with more memory")
    return decoded(path.read_bytes(), str(path))


def decoded(raw: bytes, name: str) -> Any:
    """Return the model of some bytes."""
    try:
        onnx, protobuf = import_module("onnx"), import_module("google.protobuf.message")
    except ImportError:
        raise ImportError(f"{name} is an ONNX file, and reading it needs onnx: pip install onnx") from None
    try:
        return onnx.ModelProto.FromString(raw)
    except (protobuf.DecodeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is no ONNX file, or it is cut off or damaged: {error}") from None


def is_model(thing: Any) -> bool:
    """Whether this is a model of onnx, by the looks of it."""
    return hasattr(thing, "graph") and hasattr(thing, "opset_import")


def steps(model: Any, notes: list[str]) -> list[Step]:
    """Return the chain of a model."""
    return _Graph(model.graph, notes).steps()


class _Graph:
    def __init__(self, graph: Any, notes: list[str]) -> None:
        self._graph, self._notes = graph, notes
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and len(node.output) == 1:
                values = [a.t for a in node.attribute if a.name == "value"]
                if values:
                    self._tensors[node.output[0]] = values[0]
        self._known: dict[str, Reals] = {}
        self._transposed = {
            node.output[0]: node.input[0]
            for node in graph.node
            if node.op_type in {"Transpose", "Identity"} and len(node.output) == 1 and self._of_constant(node)
        }
        self._turned = {node.output[0] for node in graph.node if node.op_type == "Transpose" and node.output}

    def _of_constant(self, node: Any) -> bool:
        return len(node.input) == 1 and node.input[0] in self._tensors

    def _is_constant(self, name: str) -> bool:
        return name in self._tensors or name in self._transposed

    def steps(self) -> list[Step]:
        """Follow the graph from its input to its output."""
        inputs = [value.name for value in self._graph.input if not self._is_constant(value.name)]
        outputs = [value.name for value in self._graph.output]
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(f"the graph has {len(inputs)} inputs and {len(outputs)} outputs; one of each is needed")
        users: dict[str, list[Any]] = {}
        for node in self._graph.node:
            for name in set(node.input):
                users.setdefault(name, []).append(node)
        found: list[Step] = []
        now, walked = inputs[0], 0
        while now != outputs[0]:
            following = users.get(now, [])
            if len(following) != 1:
                raise ValueError(
                    f"value {now!r} goes to {len(following)} operators: the graph is no chain from input to output"
                )
            node = following[0]
            if len(node.output) == 0 or walked > len(self._graph.node):
                raise ValueError("the graph runs in a circle or ends without an output")
            step = self._step(node, now, first=not found, last=node.output[0] == outputs[0])
            if step is not None:
                found.append(step)
            now, walked = node.output[0], walked + 1
        return found

    def _step(self, node: Any, now: str, *, first: bool, last: bool) -> Step | None:
        kind = node.op_type
        where = f"{kind} {node.name!r}" if node.name else kind
        if node.domain not in {"", "ai.onnx"}:
            raise ValueError(f"{where}: operators of the domain {node.domain!r} are not read; read are {_READ}")
        attributes = _attributes(node, where)
        if kind in _ACTIVATIONS:
            return Act(ACTIVATIONS[_ACTIVATIONS[kind]], where)
        if kind == "LeakyRelu":
            return Act(leaky_relu(attributes.get("alpha", _SLOPE)), where)
        if kind in _IDLE:
            return None
        if kind in _PROBABILITIES:
            if not last or attributes.get("axis", -1) not in {1, -1}:
                raise ValueError(f"{where}: read over classes and as the last step only")
            self._notes.append(CLASSES_KEPT.format(_PROBABILITIES[kind]))
            return None
        table: dict[str, Callable[..., Step | None]] = {
            "Gemm": self._gemm, "MatMul": self._matmul, "Add": self._affine, "Sub": self._affine, "Mul": self._affine,
            "Div": self._affine, "BatchNormalization": self._norm, "Flatten": self._flatten, "Reshape": self._flatten,
        }  # fmt: skip
        if kind not in table:
            raise ValueError(f"{where}: this operator is not read; read are {_READ}")
        if kind in {"Flatten", "Reshape"} and not first:
            raise ValueError(f"{where}: read where it flattens whole inputs, as the first step")
        return table[kind](node, now, attributes, where)

    def _gemm(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Dense:
        if node.input[0] != now or not 2 <= len(node.input) <= 3 or attributes.get("transA", 0):
            raise ValueError(f"{where}: the samples must be its first input, not transposed")
        turn = not attributes.get("transB", 0)
        weight = self._matrix(node.input[1], where, turn=turn, factor=attributes.get("alpha", 1.0))
        bias = None
        if len(node.input) == 3 and node.input[2]:
            bias = self._vector(node.input[2], where, len(weight))
            bias = _times(bias, attributes.get("beta", 1.0))
        return Dense(weight, bias, where)

    def _matmul(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Dense:
        del attributes  # it has none
        if len(node.input) != 2 or node.input[0] != now:
            raise ValueError(f"{where}: the samples must be its first input, weights its second")
        return Dense(self._matrix(node.input[1], where, turn=True, factor=1.0), None, where)

    def _affine(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Affine:
        del attributes  # it has none
        if len(node.input) != 2 or node.input[0] == node.input[1]:
            raise ValueError(f"{where}: a chain has the samples on one side and constants on the other")
        left = node.input[0] == now
        other = self._array(node.input[1] if left else node.input[0], where)
        if sum(n > 1 for n in other.shape) > 1 or (other.size > 1 and other.shape[-1] != other.size):
            raise ValueError(f"{where}: its constant of shape {other.shape} is not one number a unit")
        values = other.reshape(-1).astype(np.float64)
        one, zero = np.ones_like(values), np.zeros_like(values)
        if node.op_type == "Add":
            return Affine(one, values, where)
        if node.op_type == "Mul":
            return Affine(values, zero, where)
        if node.op_type == "Sub":
            return Affine(one, -values, where) if left else Affine(-one, values, where)
        if not left or not values.all():
            raise ValueError(f"{where}: division is read by constants other than zero")
        return Affine(1 / values, zero, where)

    def _norm(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> Norm:
        if len(node.input) != 5 or node.input[0] != now or attributes.get("training_mode", 0):
            raise ValueError(f"{where}: read with scale, offset, running mean and variance, and not in training mode")
        gamma, beta, mean, variance = (self._vector(name, where, None) for name in node.input[1:])
        try:
            return Norm(BatchNorm(mean, variance, gamma, beta, attributes.get("epsilon", _EPSILON)), where)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from None

    def _flatten(self, node: Any, now: str, attributes: dict[str, Any], where: str) -> None:
        good = node.input[0] == now
        if node.op_type == "Flatten":
            good = good and attributes.get("axis", 1) == 1
        else:
            shape = self._array(node.input[1], where).reshape(-1).tolist() if good and len(node.input) == 2 else []
            good = len(shape) == 2 and (shape[0] in {-1, 0} or shape[1] == -1)
        if not good:
            raise ValueError(f"{where}: read where it makes one row of every sample")

    def _matrix(self, name: str, where: str, *, turn: bool, factor: float) -> Reals:
        array = self._array(name, where)
        if array.ndim != 2:
            raise ValueError(f"{where}: weights have shape {array.shape}, a matrix is needed")
        return _times(array.T if turn else array, factor)

    def _vector(self, name: str, where: str, units: int | None) -> Reals:
        array = self._array(name, where)
        flat = array.reshape(-1)
        if units is None:
            return flat
        if flat.size not in {1, units} or (array.ndim and array.shape[-1] != flat.size):
            raise ValueError(f"{where}: biases have shape {array.shape}, {units} numbers are needed")
        return np.broadcast_to(flat, units)

    def _array(self, name: str, where: str) -> Reals:
        source = self._transposed.get(name, name)
        if source not in self._tensors:
            raise ValueError(f"{where}: {name!r} is computed or missing, and a constant is needed there")
        if name not in self._known:
            array = _values(self._tensors[source], source, where)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"{where}: {source!r} has entries that are not finite numbers")
            self._known[name] = array.T if name in self._turned else array
        return self._known[name]


def _attributes(node: Any, where: str) -> dict[str, Any]:
    """Return numbers by name; floats are float32 in the file, and exactly those are used."""
    found: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.type == 1:
            value = float(attribute.f)
            if not math.isfinite(value):
                raise ValueError(f"{where}: attribute {attribute.name!r} is {value}")
            found[attribute.name] = value
        elif attribute.type == 2:
            found[attribute.name] = int(attribute.i)
    return found


def _values(tensor: Any, name: str, where: str) -> Reals:
    """Return the numbers of a tensor, once shape, type and bytes agree."""
    if tensor.data_location or tensor.external_data:
        raise ValueError(f"{where}: {name!r} lies in another file, which is not opened; save the model as one file")
    if tensor.data_type not in _TYPES:
        raise ValueError(f"{where}: {name!r} has the data type {tensor.data_type}; float16, float and double are read")
    shape = tuple(tensor.dims)
    dtype = np.dtype(_TYPES[tensor.data_type])
    if len(shape) > 32 or any(n < 0 for n in shape):
        raise ValueError(f"{where}: {name!r} has the impossible shape {shape[:32]}")
    if tensor.raw_data:
        count = len(tensor.raw_data) / dtype.itemsize
        flat: Reals = np.frombuffer(tensor.raw_data, dtype) if count == math.prod(shape) else np.empty(0, dtype)
    else:
        field = {_FLOAT: "float_data", _DOUBLE: "double_data", _INT64: "int64_data"}.get(tensor.data_type)
        listed = getattr(tensor, field) if field else ()
        count, flat = len(listed), np.array(listed, dtype)
    if count != math.prod(shape):
        raise ValueError(f"{where}: {name!r} has shape {shape} but holds {count:g} numbers: cut off or damaged")
    array = flat.reshape(shape)
    return array.astype(np.float32) if tensor.data_type == _FLOAT16 else array


def _times(array: Reals, factor: float) -> Reals:
    if factor == 1:
        return array
    with np.errstate(over="ignore"):  # a network refuses infinite parameters
        result: Reals = (array.astype(np.float64) * factor).astype(array.dtype)
    return result

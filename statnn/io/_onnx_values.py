"""Constants of ONNX graphs: numbers that stand in the file, perhaps in another shape or type, but never computed.

Tensors hold their numbers as raw bytes or in a field by type; 16-bit floats stand in the lower halves of 32-bit
integers there [onnx.proto, TensorProto.int32_data]. Every constant is made once, however many operators use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from statnn._arrays import Reals
from statnn._memory import refuse_beyond_memory
from statnn.io._chain import LESS
from statnn.io._onnx_advice import advice

_FLOAT, _INT32, _INT64, _FLOAT16, _DOUBLE, _BFLOAT16 = 1, 6, 7, 10, 11, 16  # TensorProto.DataType
SHORT = {_FLOAT16: 2e-3, _BFLOAT16: 1.6e-2}
"""Types of 16 bits, which are read as float32, and the relative rounding of a product of three of their numbers."""
FLOATS = {_FLOAT, _DOUBLE, *SHORT}
_TYPES = {
    _FLOAT: "<f4", _DOUBLE: "<f8", _FLOAT16: "<f2", _BFLOAT16: "<u2", _INT64: "<i8", _INT32: "<i4", 9: "|b1",
}  # fmt: skip
_FIELDS = {_FLOAT: "float_data", _DOUBLE: "double_data", _INT64: "int64_data"}  # all others in int32_data
STANDARD = {"", "ai.onnx"}
"""Names of the domain of ONNX itself."""
_WIDE: dict[int, np.dtype[Any]] = {_FLOAT: np.dtype(np.float32), _DOUBLE: np.dtype(np.float64)}
_PASSED_ON = {"Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast"}


class Constants:
    """The constants of a graph by name."""

    def __init__(self, graph: Any) -> None:
        self._tensors: dict[str, Any] = {}
        self._nodes: dict[str, Any] = {}
        self._known: dict[Any, Reals] = {}
        self._copied = 0  # bytes
        for tensor in graph.initializer:
            self._once(tensor.name)
            self._tensors[tensor.name] = tensor
        for node in graph.node:
            for name in filter(None, node.output):
                self._once(name)
                self._nodes[name] = node
        self._names = set(self._tensors)
        self._sparse = {tensor.values.name for tensor in graph.sparse_initializer}
        for name, node in self._nodes.items():  # nodes stand in an order in which they can be computed
            passed_on = node.op_type in _PASSED_ON and node.input and node.input[0] in self._names
            passed_on = passed_on and all(map(self._stands, node.input[1:]))
            passed_on = passed_on and (node.op_type != "Cast" or _attribute(node, "to", "i") in _WIDE)
            if node.domain in STANDARD and (node.op_type == "Constant" or passed_on):
                self._names.add(name)

    def _once(self, name: str) -> None:
        if name in self._tensors or name in self._nodes:
            raise ValueError(f"the value {name[:80]!r} is defined twice: the graph runs in a circle or is damaged")

    def _stands(self, name: str) -> bool:
        """Return whether a constant stands in the file as it is."""
        return name in self._tensors or (name in self._names and self._nodes[name].op_type == "Constant")

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def array(self, name: str, where: str) -> Reals:
        """Return the numbers of a constant that an operator takes."""
        if name not in self._names:
            kind = self._nodes[name].op_type if name in self._nodes else ""
            maker = "sparse" if name in self._sparse else f"computed by {kind}" if kind else "missing"
            raise ValueError(
                f"{where}: {name!r} is {maker}, and a constant array that stands in the file is needed there"
                + (advice(kind) if kind else "")
            )
        turns: list[Any] = []
        source = name
        while source not in self._known and not self._stands(source):
            turns.append(self._nodes[source])
            source = turns[-1].input[0]
        if source not in self._known:
            node = self._nodes.get(source)
            self._known[source] = (
                _values(self._tensors[source], source, where) if node is None else _of_constant(node, source, where)
            )
        array = self._known[source]
        for node in reversed(turns):
            given = self.array(node.input[1], where).reshape(-1).tolist() if len(node.input) > 1 else None
            before, array = array, _turned(array, node, given, where)
            if not np.may_share_memory(array, before):
                self._copy(array)
            self._known[node.output[0]] = array
        return array

    def _stored(self) -> list[Any]:
        """Return all tensors of the file."""
        constants = (node for node in self._nodes.values() if node.op_type == "Constant")
        return [*self._tensors.values(), *(attribute.t for node in constants for attribute in node.attribute)]

    def are_short(self) -> bool:
        """Return whether no real numbers have more than 16 bits."""
        return not (FLOATS - SHORT.keys()) & {tensor.data_type for tensor in self._stored()}

    def longest(self) -> int:
        """Return the longest axis of all arrays."""
        return max((size for tensor in self._stored() for size in tensor.dims), default=0)

    def _copy(self, array: Reals) -> None:
        """Refuse one more array of this size, if all that were made are too large together."""
        self._copied += array.nbytes
        refuse_beyond_memory(3.0 * self._copied, "the network", LESS)

    def times(self, key: Any, array: Reals, factor: float) -> Reals:
        """Return an array of constants times a number, once for each key and factor; `key` names the array."""
        if (key, factor) not in self._known:
            if factor != 1:
                self._copy(array)
                with np.errstate(over="ignore"):  # a network refuses infinite parameters
                    array = (array.astype(np.float64) * factor).astype(array.dtype)
            self._known[key, factor] = array
        return self._known[key, factor]


def _attribute(node: Any, name: str, field: str, otherwise: Any = None) -> Any:
    return next((getattr(each, field) for each in node.attribute if each.name == name), otherwise)


def _turned(array: Reals, node: Any, given: list[int] | None, where: str) -> Reals:
    """Return an array as a node passes it on; `given` are the numbers of its second input."""
    kind, shape = node.op_type, array.shape
    axes = tuple(given or _attribute(node, "axes", "ints", ()))
    same = kind == "Reshape" and not _attribute(node, "allowzero", "i", 0)  # a size of 0 is that of the array
    ways: dict[str, Callable[[], Reals]] = {
        "Identity": lambda: array,
        "Cast": lambda: np.asarray(array, _WIDE[_attribute(node, "to", "i")]),
        "Transpose": lambda: array.transpose(_attribute(node, "perm", "ints")),
        "Squeeze": lambda: np.squeeze(array, axes or None),
        "Unsqueeze": lambda: np.expand_dims(array, axes),
        "Flatten": lambda: array.reshape(math.prod(shape[: _attribute(node, "axis", "i", 1)]), -1),
        "Reshape": lambda: array.reshape([shape[k] if same and n == 0 else n for k, n in enumerate(axes)]),
    }
    try:
        with np.errstate(over="ignore"):  # a network refuses infinite parameters
            return ways[kind]()
    except (ValueError, IndexError, TypeError) as error:
        raise ValueError(f"{where}: a {kind} of shape {shape} is impossible: {error}") from None


def _of_constant(node: Any, name: str, where: str) -> Reals:
    """Return the value of a Constant, which stands in one of several attributes."""
    given = {attribute.name: attribute for attribute in node.attribute}
    if len(given) == 1:
        kind, attribute = next(iter(given.items()))
        if kind == "value":
            return _values(attribute.t, name, where)
        if kind in {"value_float", "value_floats"}:
            values = attribute.f if kind == "value_float" else attribute.floats
            return _finite(np.array(values, np.float32), name, where)
        if kind in {"value_int", "value_ints"}:
            return np.array(attribute.i if kind == "value_int" else attribute.ints, np.int64)
    raise ValueError(f"{where}: Constant {name!r} has {', '.join(map(str, given)) or 'no value'}, and no plain numbers")


def _finite(array: Reals, name: str, where: str) -> Reals:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{where}: {name!r} has entries that are not finite numbers")
    return array


def _values(tensor: Any, name: str, where: str) -> Reals:
    """Return the numbers of a tensor, once shape, type and bytes agree."""
    if tensor.data_location or tensor.external_data:
        raise ValueError(
            f"{where}: {name!r} lies in another file, which is not opened; make one file of both, "
            "onnx.save(onnx.load(file), new_file), or export it with torch.onnx.export(..., external_data=False)"
        )
    kind = tensor.data_type
    if kind not in _TYPES:
        raise ValueError(
            f"{where}: {name!r} has the data type {kind}{_called(tensor)}; supported are float16, bfloat16, float and "
            f"double, and of others int32, int64 and bool{advice('DequantizeLinear')}"
        )
    shape = tuple(tensor.dims)
    dtype = np.dtype(_TYPES[kind])
    if len(shape) > 32 or any(n < 0 for n in shape):
        raise ValueError(f"{where}: {name!r} has the impossible shape {shape[:32]}")
    if tensor.raw_data:
        count = len(tensor.raw_data) / dtype.itemsize
        flat: Reals = np.frombuffer(tensor.raw_data, dtype) if count == math.prod(shape) else np.empty(0, dtype)
    else:
        listed = np.array(getattr(tensor, _FIELDS.get(kind, "int32_data")))
        count, flat = len(listed), _narrow(listed, kind, dtype, name, where)
    if count != math.prod(shape):
        raise ValueError(f"{where}: {name!r} has shape {shape} but holds {count:g} numbers: cut off or damaged")
    if kind == _BFLOAT16:  # the upper half of a float32
        flat = (flat.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return _finite((flat.astype(np.float32) if kind == _FLOAT16 else flat).reshape(shape), name, where)


def _called(tensor: Any) -> str:
    """Return the name of the type of a tensor, where it has one."""
    name = next((name for name, kind in tensor.DataType.items() if kind == tensor.data_type), "")
    return f", {name}" if name else ""


def _narrow(listed: Reals, kind: int, dtype: np.dtype[Any], name: str, where: str) -> Reals:
    """Return listed numbers in their type; 16-bit floats are listed by their bits."""
    if kind not in SHORT:
        return listed.astype(dtype)
    if listed.size and not 0 <= listed.min() <= listed.max() < 2**16:
        raise ValueError(f"{where}: {name!r} lists numbers beyond the 16 bits of its type: it is damaged")
    return listed.astype(np.uint16).view(dtype)

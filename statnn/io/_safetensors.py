"""The safetensors format: eight bytes of length, a header of JSON, raw numbers.

Each tensor says its type, its shape and where its bytes are; here all three must agree, and the tensors must fill the
file from end to end without gaps or overlaps, before any array is made.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from statnn._archive.npz import MOST_TEXT
from statnn._archive.words import line_of
from statnn._arrays import Reals
from statnn._memory import refuse_beyond_memory
from statnn.io._document import parsed

METADATA = "__metadata__"
_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|u1",
}  # fmt: skip
_PARAMETERS = {"weight", "bias"}
"""Last parts of names: a text of the metadata under such a name must be the name of a tensor."""
_MOST_AXES = 32
_WIDER = "store it as float32 in the program that made it"


def write(file: BinaryIO, arrays: dict[str, Reals], metadata: dict[str, str]) -> None:
    """Write float32 and float64 arrays by name, and texts by name."""
    header: dict[str, Any] = {METADATA: metadata}
    begin = 0
    for name, array in arrays.items():
        kind = "F64" if array.dtype == np.float64 else "F32"
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [begin, begin + array.nbytes]}
        begin += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # numbers begin at a multiple of their size
    if len(text) > MOST_TEXT:
        raise ValueError(f"the header would be {len(text):.3g} bytes long, at most {MOST_TEXT:.3g} are read again")
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name, array in arrays.items():
        file.write(np.ascontiguousarray(array, dtype=_TYPES[header[name]["dtype"]]).data)


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return arrays by name and texts by name; whatever is wrong is a `ValueError` that names the file."""
    try:
        return _read(path)
    except MemoryError as error:
        raise MemoryError(f"{path}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {line_of(error)}") from None


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    size = path.stat().st_size
    refuse_beyond_memory(2.0 * size, "reading it", "use a machine with more memory")
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ValueError(f"it has {len(start)} bytes; a safetensors file begins with eight bytes of length")
        length = int.from_bytes(start, "little")
        if length > size - 8:
            raise ValueError(
                f"its header claims {length} bytes, but {size - 8} follow: no safetensors file, or cut off"
            )
        if length > MOST_TEXT:
            raise ValueError(f"its header claims {length} bytes, at most {MOST_TEXT:.3g} are read")
        header = parsed(file.read(length), "its header")
        data = file.read()
    if not isinstance(header, dict):
        raise ValueError("its header is not a table of tensors")  # noqa: TRY004 - content of a file
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"{METADATA} in its header must hold texts only")
    spans = {name: _span(name, entry, len(data)) for name, entry in header.items()}
    _fills(spans, len(data))
    arrays = {name: _array(header[name], data, *span) for name, span in spans.items()}
    return arrays | _shared(arrays, metadata), metadata


def _shared(arrays: dict[str, NDArray[Any]], metadata: dict[str, str]) -> dict[str, NDArray[Any]]:
    """Return arrays that are others under a second name: their library stores one, and the second name as metadata."""
    names = {name: other for name, other in metadata.items() if other in arrays}
    for name, other in metadata.items():
        lost = name.rpartition(".")[2] in _PARAMETERS and name not in names
        if other in names or (name in names and name in arrays) or lost:
            raise ValueError(f"{name!r} is said to be tensor {other[:80]!r}, which is not one or has another value")
    return {name: arrays[other] for name, other in names.items()}


def _span(name: str, entry: Any, size: int) -> tuple[int, int]:
    """Return where the bytes of a tensor are, once its claims agree with each other."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name!r} must say dtype, shape and data_offsets, and nothing else")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f"tensor {name!r} has type {kind!r}; supported are {', '.join(_TYPES)}: {_WIDER}")
    if not _whole(shape) or len(shape) > _MOST_AXES:
        raise ValueError(f"tensor {name!r} has the impossible shape {str(shape)[:80]}")
    if not _whole(offsets) or len(offsets) != 2 or not offsets[0] <= offsets[1] <= size:
        raise ValueError(f"tensor {name!r} claims the bytes {str(offsets)[:80]} of {size}")
    needed = math.prod(shape) * np.dtype(_TYPES[kind]).itemsize
    if needed != offsets[1] - offsets[0]:
        raise ValueError(
            f"tensor {name!r} of type {kind} and shape {tuple(shape)} needs {needed} bytes, "
            f"but claims {offsets[1] - offsets[0]}"
        )
    return offsets[0], offsets[1]


def _whole(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)


def _fills(spans: dict[str, tuple[int, int]], size: int) -> None:
    end = 0
    for name, (begin, after) in sorted(spans.items(), key=lambda item: item[1]):
        if begin != end:
            kind = "overlaps the one before" if begin < end else "leaves a gap before it"
            raise ValueError(f"tensor {name!r} {kind}: tensors must follow each other")
        end = after
    if end != size:
        raise ValueError(f"tensors end at byte {end} of {size}: the file is longer than its header says")


def _array(entry: dict[str, Any], data: bytes, begin: int, end: int) -> NDArray[Any]:
    kind = entry["dtype"]
    dtype = np.dtype(_TYPES[kind])
    flat = np.frombuffer(data[begin:end], dtype).reshape(entry["shape"])
    if kind == "BF16":  # the upper half of a float32
        return (flat.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return flat.astype(np.float32) if kind == "F16" else flat

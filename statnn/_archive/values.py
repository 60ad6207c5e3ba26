"""Values as a tree of JSON and named arrays, and back.

Numbers, texts, tuples, lists, mappings, arrays and frozen objects of this package; functions by name. Objects come
back through their constructor, which checks its arguments: a file cannot make an object that could not be made by
hand. A class whose constructor takes other arguments than its fields returns them from ``_stored()``, and defines
``_restored(parts, own)`` if even those are not arguments of the constructor.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np
from scipy import sparse

from statnn._archive.names import class_of, is_own, name_of, name_of_ufunc, thing_of, ufunc_of
from statnn._arrays import read_only, refuse_malformed
from statnn._by_value import same
from statnn._memory import refuse_beyond_memory

Arrays = dict[str, np.ndarray[Any, Any]]
_GENERATORS = ("SFC64", "PCG64", "PCG64DXSM", "Philox", "MT19937")
_DEEPEST = 200
"""Levels of nesting up to which values are written and read."""
_LONGEST = 14_000
"""Most bits of a whole number: Python reads numbers of up to 4300 digits."""


def _content(array: np.ndarray[Any, Any]) -> Any:
    """Return a key that is the same for arrays of equal values, in any order of bytes and of memory."""
    plain: Any = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return plain.dtype.str, array.shape, hashlib.sha256(plain.reshape(-1).view(np.uint8)).digest()


class Packer:
    """Turns values into trees and collects their arrays; an array that is met twice is stored once.

    Parameters
    ----------
    values_alone : bool
        Whether trees and arrays of equal values are equal, whoever shares arrays or may write to them.
    known_by : callable, optional
        Returns what a user's own function inside an object does; without it, the function is known by its name.
    inside : int
        Number of containers around the value where it will be stored.
    """

    def __init__(
        self, *, values_alone: bool = False, known_by: Callable[[Any], str] | None = None, inside: int = 0
    ) -> None:
        self.arrays: Arrays = {}
        self._known_by = known_by
        self._values_alone = values_alone
        self._depth = inside
        self._names: dict[Any, str] = {}
        self._known: dict[int, tuple[str, Any]] = {}

    def tree(self, value: Any, path: str = "value") -> Any:
        """Return the JSON of a value; `path` names its arrays."""
        if self._depth >= _DEEPEST:
            raise ValueError(f"values are nested more than {_DEEPEST - 1} deep, and files of such are not read again")
        self._depth += 1
        try:
            return self._tree(value, path)
        finally:
            self._depth -= 1

    def _tree(self, value: Any, path: str) -> Any:
        if type(value) is int and value.bit_length() > _LONGEST:
            if self._values_alone:
                return {"whole": hex(value)}
            raise ValueError(f"{path} is a whole number of {value.bit_length()} bits; files hold up to {_LONGEST}")
        if value is None or (isinstance(value, bool | str) and not isinstance(value, Enum)) or type(value) is int:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if type(value) is list:
            return [self.tree(entry, f"{path}.{k}") for k, entry in enumerate(value)]
        tree = self._container(value, path)
        if tree is None:
            tree = self._numerical(value, path)
        if tree is None:
            tree = self._object(value, path)
        if tree is None:
            raise TypeError(
                f"{path} is a {type(value).__module__}.{type(value).__qualname__}, which is neither a plain value nor "
                "of this package: files hold numbers, texts, arrays and results"
            )
        return tree

    def _container(self, value: Any, path: str) -> Any:
        if type(value) is tuple:
            return {"tuple": [self.tree(entry, f"{path}.{k}") for k, entry in enumerate(value)]}
        if isinstance(value, frozenset | set):
            kind = "frozenset" if isinstance(value, frozenset) else "set"
            return {kind: [self.tree(entry, f"{path}.{k}") for k, entry in enumerate(sorted(value, key=repr))]}
        if type(value) is range:
            return {"range": [value.start, value.stop, value.step]}
        if isinstance(value, Mapping):
            if all(isinstance(key, str) for key in value):
                return {"dict": {key: self.tree(entry, f"{path}.{key}") for key, entry in value.items()}}
            pairs = enumerate(value.items())
            return {
                "items": [
                    [self.tree(key, f"{path}.k{k}"), self.tree(entry, f"{path}.{k}")] for k, (key, entry) in pairs
                ]
            }
        return None

    def _numerical(self, value: Any, path: str) -> Any:  # noqa: PLR0911 - a return for each kind
        if isinstance(value, np.ma.MaskedArray):
            mask = np.ma.getmaskarray(value)
            return {"masked": [self._array(np.ma.getdata(value), f"{path}.data"), self._array(mask, f"{path}.mask")]}
        if type(value) is np.ndarray:
            return self._array(value, path)
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value), path)}
        if type(value) is complex:
            return {"complex": [self.tree(value.real, path), self.tree(value.imag, path)]}
        if isinstance(value, sparse.csr_array):
            arrays = [self._array(getattr(value, name), f"{path}.{name}") for name in ("data", "indices", "indptr")]
            return {"csr": [*arrays, list(value.shape)]}
        if isinstance(value, np.random.Generator):
            state = value.bit_generator.state
            return {"generator": self.tree(_plain(state), path)}
        if isinstance(value, np.dtype) and value.kind not in "VT":  # their text gives the size alone
            return {"dtype": value.str}
        return None

    def _object(self, value: Any, path: str) -> Any:  # noqa: PLR0911
        if isinstance(value, np.ufunc):
            name = name_of_ufunc(value)
            return name and {"ufunc": name}
        if isinstance(value, partial) and type(value) is partial:
            words = self.tree(dict(value.keywords), f"{path}.keywords")
            return {"partial": [self.tree(value.func, path), self.tree(value.args, f"{path}.arguments"), words]}
        if not is_own(value if isinstance(value, type | FunctionType) else type(value)):
            return None
        if isinstance(value, type | FunctionType):
            return {"name": name_of(value)}
        kind = type(value)
        if isinstance(value, Enum):
            return {"enum": name_of(kind), "value": self.tree(value.value, path)}
        if isinstance(value, Exception):
            return {"exception": name_of(kind), "arguments": self.tree(value.args, path)}
        parts = self._parts(value)
        if parts is None:
            return None
        return {
            "object": name_of(kind),
            "parts": {name: self.tree(part, f"{path}.{name}") for name, part in parts.items()},
        }

    def _parts(self, value: Any) -> Mapping[str, Any] | None:
        """Return what an object of this package is made of."""
        if hasattr(value, "_stored"):
            parts: Mapping[str, Any] = value._stored()  # noqa: SLF001 - classes define it for this
            if self._known_by is not None and hasattr(value, "_own_functions"):
                functions = value._own_functions()  # noqa: SLF001 - the same
                return {**parts, "functions": [self._known_by(function) for function in functions]}
            return parts
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return value._asdict() if hasattr(value, "_asdict") else None

    def _array(self, array: Any, path: str) -> Any:
        if array.dtype.hasobject or array.dtype.kind not in "biufcSU":
            raise TypeError(f"{path} holds {array.dtype}, which cannot be stored without pickles")
        if not (self._values_alone or np.can_cast(array.dtype, np.complex128) or array.dtype.kind in "SU"):
            raise TypeError(
                f"{path} holds {array.dtype}, which other machines read as other numbers: convert it with "
                f".astype({'float' if array.dtype.kind == 'f' else 'complex'})"
            )
        if id(array) not in self._known:
            same = _content(array) if self._values_alone else id(array)
            if same not in self._names:
                name = _free("".join(c if c.isalnum() or c in "._- " else "_" for c in path)[-100:], self.arrays)
                self.arrays[name] = np.stack([array.real, array.imag], axis=-1) if array.dtype.kind == "c" else array
                self._names[same] = name
            self._known[id(array)] = self._names[same], array  # held, so that its id is not given to another
        tree: dict[str, Any] = {"array": self._known[id(array)][0]}
        if array.flags.writeable and not self._values_alone:
            tree["writeable"] = True
        if array.dtype.kind == "c":
            tree["complex"] = array.dtype.newbyteorder("<").str  # little-endian, as in the digests of all arrays
        return tree


class Unpacker:
    """Turns trees back into values; `own` holds a user's own functions and objects by name."""

    def __init__(self, arrays: Mapping[str, np.ndarray[Any, Any]], own: Mapping[str, Any]) -> None:
        self._arrays, self._own = arrays, own
        self._read: Arrays = {}

    def value(self, tree: Any, depth: int = 0) -> Any:
        """Return the value of a tree."""
        if depth > _DEEPEST:
            raise ValueError(f"values are nested more than {_DEEPEST} deep")
        if tree is None or isinstance(tree, bool | str | int | float):
            return tree
        if isinstance(tree, list):
            return [self.value(entry, depth + 1) for entry in tree]
        if not isinstance(tree, dict) or not tree:
            raise ValueError(f"a value is described by {tree!r:.60}")
        kind = next(iter(tree))
        make = getattr(self, f"_of_{kind}", None)
        if make is None:
            raise ValueError(f"{kind!r} is not a kind of value that this version knows")
        try:
            return make(tree, lambda subtree: self.value(subtree, depth + 1))
        except (KeyError, IndexError, AttributeError) as error:
            raise ValueError(f"a value of kind {kind!r} lacks a part: {error}") from None

    def _of_float(self, tree: Any, _: Any) -> Any:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[tree["float"]]

    def _of_complex(self, tree: Any, value: Any) -> Any:
        real, imaginary = map(value, tree["complex"])
        return complex(real, imaginary)

    def _of_tuple(self, tree: Any, value: Any) -> Any:
        return tuple(map(value, tree["tuple"]))

    def _of_set(self, tree: Any, value: Any) -> Any:
        return set(map(value, tree["set"]))

    def _of_frozenset(self, tree: Any, value: Any) -> Any:
        return frozenset(map(value, tree["frozenset"]))

    def _of_range(self, tree: Any, _: Any) -> Any:
        numbers = range(*tree["range"])
        most = abs(numbers.stop - numbers.start)  # len() raises for long ranges
        refuse_beyond_memory(
            40.0 * (most // abs(numbers.step)), f"{numbers} as numbers", "use a machine with more memory"
        )
        return numbers

    def _of_dict(self, tree: Any, value: Any) -> Any:
        return {key: value(entry) for key, entry in tree["dict"].items()}

    def _of_items(self, tree: Any, value: Any) -> Any:
        return {value(key): value(entry) for key, entry in tree["items"]}

    def _of_array(self, tree: Any, _: Any) -> Any:
        name = tree["array"]
        if name not in self._read:
            if name not in self._arrays:
                raise ValueError(f"array {name!r} is missing")
            array = self._arrays[name]
            if "complex" in tree:
                parts, array = array, np.empty(array.shape[:-1], np.dtype(tree["complex"]).newbyteorder("="))
                array.real, array.imag = parts[..., 0], parts[..., 1]  # a sum would turn infinities into NaN
            self._read[name] = array
        array = self._read[name]
        if tree.get("writeable"):
            return array if array.flags.writeable else array.copy()
        return read_only(array)

    def _of_scalar(self, tree: Any, value: Any) -> Any:
        return value(tree["scalar"])[()]

    def _of_masked(self, tree: Any, value: Any) -> Any:
        data, mask = map(value, tree["masked"])
        if not isinstance(data, np.ndarray) or np.shape(mask) != data.shape:
            raise ValueError(f"a mask of shape {np.shape(mask)} is none of an array of shape {np.shape(data)}")
        return np.ma.MaskedArray(data, mask=mask)

    def _of_csr(self, tree: Any, value: Any) -> Any:
        *parts, shape = tree["csr"]
        data, indices, indptr = map(value, parts)
        if any(np.asarray(part).dtype.kind not in "iu" for part in (indices, indptr)):
            raise ValueError("the places of a sparse matrix are not whole numbers")
        matrix = sparse.csr_array((data, indices, indptr), shape=tuple(shape))
        refuse_malformed(matrix, "couplings")
        matrix.check_format(full_check=True)
        return matrix

    def _of_generator(self, tree: Any, value: Any) -> Any:
        state = value(tree["generator"])
        if state["bit_generator"] not in _GENERATORS:
            raise ValueError(f"generator {state['bit_generator']!r} is not one of numpy's {', '.join(_GENERATORS)}")
        bits = getattr(np.random, state["bit_generator"])()
        try:
            with np.errstate(invalid="raise"):
                bits.state = state
        except (TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"the state of a generator is not valid: {error}") from None
        if not same(bits.state, state):  # numpy rounds numbers to integers
            raise ValueError(f"the state of a generator is not one of {state['bit_generator']}")
        return np.random.Generator(bits)

    def _of_dtype(self, tree: Any, _: Any) -> Any:
        return np.dtype(tree["dtype"])

    def _of_ufunc(self, tree: Any, _: Any) -> Any:
        return ufunc_of(tree["ufunc"])

    def _of_partial(self, tree: Any, value: Any) -> Any:
        function, arguments, words = map(value, tree["partial"])
        if not isinstance(arguments, tuple):
            raise ValueError(f"arguments of a function are not a tuple: {arguments!r:.60}")  # noqa: TRY004 - of a file
        return partial(function, *arguments, **words)

    def _of_name(self, tree: Any, _: Any) -> Any:
        return thing_of(tree["name"])

    def _of_enum(self, tree: Any, value: Any) -> Any:
        return class_of(tree["enum"], "enum")(value(tree["value"]))

    def _of_exception(self, tree: Any, value: Any) -> Any:
        kind, arguments = class_of(tree["exception"], "exception"), value(tree["arguments"])
        if not isinstance(arguments, tuple):
            raise ValueError(f"arguments of an exception are not a tuple: {arguments!r:.60}")  # noqa: TRY004 - of a file
        return kind(*arguments)

    def _of_object(self, tree: Any, value: Any) -> Any:
        kind = class_of(tree["object"], "object")
        parts = {name: value(part) for name, part in tree["parts"].items()}
        if hasattr(kind, "_restored"):
            return kind._restored(parts, self._own)  # noqa: SLF001
        return kind(**parts)


def _plain(value: Any) -> Any:
    """Return the state of a generator with Python's own integers in the place of numpy's."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return int(value) if isinstance(value, np.integer) else value


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """Return the name, with a number behind it if it is taken."""
    if name not in taken:
        return name
    return next(numbered for k in range(2, len(taken) + 3) if (numbered := f"{name}-{k}") not in taken)

"""The order in which layers act, if their arrays are known by name only.

Three things can tell it: the caller, numbers in the names, and the order in which the arrays were given, if nobody
sorted them since. Shapes can confirm the last one, if they allow no other; they cannot decide alone, because matrices
that were stored transposed fit in the opposite order. If nothing tells the order, the arrays are refused: an
autoencoder read from its decoder to its encoder is a network as well, but another one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from os.path import commonprefix
from typing import Any, TypeAlias

Shapes: TypeAlias = Mapping[str, tuple[int, int]]
"""(outputs, inputs) of every dense layer by name, in the order given."""
_DIGITS = re.compile(r"[0-9]+")
_DEEPEST = 100
_HOW = "say it with layers=[...], the names of the layers in the order in which they act"


def in_order(shapes: Shapes, layers: Sequence[str] | None, *, kept: bool, made: bool) -> list[str]:
    """Return the names of dense layers in the order in which they act.

    Parameters
    ----------
    shapes : mapping
        (outputs, inputs) of every layer by name.
    layers : sequence of str or None
        The order as the caller knows it.
    kept : bool
        Whether the order of `shapes` may be that in which they act; a safetensors file keeps no order.
    made : bool
        Whether it is the order in which layers were made, as in a state dict of torch: then only shapes can confirm it.

    Examples
    --------
    >>> in_order({"l1": (3, 3), "l10": (3, 3), "l2": (3, 3)}, None, kept=False, made=False)
    ['l1', 'l2', 'l10']
    """
    names = list(shapes)
    if layers is not None:
        return _checked_names(names, layers)
    numbered = by_numbers(shapes)
    if numbered is not None:
        return numbered
    if kept:
        if any(shapes[below][0] != shapes[above][1] for below, above in pairwise(names)):
            raise ValueError(
                f"{_mismatch(shapes)}; layers are taken in the order given: if they act in another one, {_HOW}"
            )
        unsorted = not (made or _sorted(names) or _against_numbers(names))
        if (unsorted or _no_other(shapes)) and not _nested(names):
            if copies := _copies(shapes):
                raise ValueError(
                    f"{listed(copies[0])} are repeated by {listed(copies[1])}: a copy, as averages of weights are, or "
                    f"more layers? Pass the arrays of one network alone, as a mapping of names to arrays, or {_HOW}"
                )
            return names
    raise ValueError(
        f"in which order do {listed(names)} act? Their names are not numbered, or not all in one row, and "
        + ("the order in which they stand need not be that in which they act: " if kept else "the file keeps none: ")
        + _HOW
    )


def by_numbers(shapes: Shapes) -> list[str] | None:
    """Return names in the order of their numbers, or None where numbers alone do not order them.

    Names are paths: ``blocks.2.fc`` stands in ``blocks.2``, which stands in ``blocks``. Names in one place must
    be alike up to numbers, so ``layers.0, layers.2`` and ``1.a.0, 1.a.1, 2.b.0`` are ordered, but neither ``fc1, out``
    nor ``net.0, head.0`` are.
    """
    paths = {tuple(name.split(".")): shape for name, shape in shapes.items()}
    if any(len(path) > _DEEPEST for path in paths):
        return None
    ordered = _below(list(paths), 0, paths)
    return None if ordered is None else [".".join(path) for path in ordered]


def _below(paths: list[tuple[str, ...]], level: int, shapes: Mapping[tuple[str, ...], Any]) -> Any:
    if len(paths) == 1:
        return paths
    heads: dict[str, list[tuple[str, ...]]] = {}
    for path in paths:
        if len(path) == level:
            return None  # a layer that contains layers: only its program says which acts first
        heads.setdefault(path[level], []).append(path)
    ranked = _ranked({head: [shapes[path] for path in some] for head, some in heads.items()})
    if ranked is None:
        return None
    parts = [_below(heads[head], level + 1, shapes) for head in ranked]
    return None if any(part is None for part in parts) else [path for part in parts for path in part]


def _ranked(heads: Mapping[str, list[tuple[int, int]]]) -> list[str] | None:
    """Return names of one place, which differ in numbers alone, in the order of these numbers."""
    names = list(heads)
    if len(names) == 1:
        return names
    if len({_DIGITS.sub("#", name) for name in names}) > 1:
        return None
    columns = list(zip(*([_number(digits) for digits in _DIGITS.findall(name)] for name in names), strict=True))
    columns = [column for column in columns if not _are_sizes(column, list(heads.values()))]
    keys = list(zip(*columns, strict=True))
    if len(set(keys)) < len(names):
        return None  # no numbers, or equal ones: 1 and 01
    orders = [sorted(range(len(names)), key=column.__getitem__) for column in columns if len(set(column)) == len(names)]
    if any(order != orders[0] for order in orders):
        return None  # 64_1 and 32_2: the numbers contradict each other
    return [names[i] for i in sorted(range(len(names)), key=keys.__getitem__)]


def _number(digits: str) -> tuple[int, str]:
    short = digits.lstrip("0")
    return len(short), short


def _are_sizes(column: Sequence[tuple[int, str]], shapes: list[list[tuple[int, int]]]) -> bool:
    """Whether numbers are numbers of units, as in dense128 and dense64, and not an order."""
    return all(len(some) == 1 for some in shapes) and any(
        all(number == _number(str(some[0][side])) for number, some in zip(column, shapes, strict=True))
        for side in (0, 1)
    )


def _checked_names(names: list[str], layers: Any) -> list[str]:
    if isinstance(layers, str) or not isinstance(layers, Sequence) or not all(isinstance(name, str) for name in layers):
        raise TypeError(f"layers = {layers!r} must be a list of names of layers, for example {names[:2]}")
    times, there = Counter(layers), set(names)
    for wrong, what in (
        ([name for name in times if name not in there], f"names {{}}, but there are {listed(names)} without .weight"),
        ([name for name in times if times[name] > 1], "names {} more than once"),
        ([name for name in names if name not in times], "leaves out {}"),
    ):
        if wrong:
            raise ValueError(
                f"layers {what.format(listed(wrong))}; name every layer once, in the order in which they act"
            )
    return list(layers)


def _no_other(shapes: Shapes) -> bool:
    """Whether a chain of layers fits in this order only.

    Layers are steps between widths, and an order is a walk that takes each step once. Two walks differ by exchanges of
    what lies between meetings of two widths (x, y, x, y) or of one (x, x, x), or by where a closed walk begins [exact;
    Pevzner 1995]; without any of these there is one walk.
    """
    widths = [next(iter(shapes.values()))[1], *(out for out, _ in shapes.values())]
    if len(widths) > 2 and widths[0] == widths[-1]:
        return False
    times = Counter(widths)
    if max(times.values()) > 2:
        return False
    opened: list[int] = []
    seen: set[int] = set()
    for width in widths:
        if width in seen:
            if opened.pop() != width:
                return False
        elif times[width] == 2:
            opened.append(width)
        seen.add(width)
    return True


def _copies(shapes: Shapes) -> tuple[list[str], list[str]] | None:
    """Return the first two of the parts in which names and shapes repeat each other, or None where there are none."""
    names = list(shapes)
    for few in (k for k in range(2, len(names) // 2 + 1) if len(names) % k == 0):
        parts = [names[k : k + few] for k in range(0, len(names), few)]
        if len({tuple(zip(_apart(part), map(shapes.__getitem__, part), strict=True)) for part in parts}) == 1:
            return parts[0], parts[1]
    return None


def _apart(names: list[str]) -> list[str]:
    """Return names without their common beginning and end."""
    begin = len(commonprefix(names))  # noqa: RUF071 - by characters
    end = len(commonprefix([name[begin:][::-1] for name in names]))  # noqa: RUF071
    return [name[begin : len(name) - end] for name in names]


def _sorted(names: list[str]) -> bool:
    """Whether a tool may have sorted these names, as files and libraries do."""
    keys: tuple[Any, ...] = (lambda name: name + ".", str.casefold, lambda name: name.split("."))
    return any(names == sorted(names, key=key) for key in keys)


def _nested(names: list[str]) -> bool:
    """Whether a layer stands inside another, as adapters do, so that it is not a link of the chain."""
    there = set(names)
    return any(".".join(name.split(".")[:k]) in there for name in names for k in range(1, name.count(".") + 1))


def _against_numbers(names: list[str]) -> bool:
    """Whether names that differ in numbers alone stand in another order than their numbers."""
    last: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        numbers = [_number(digits) for digits in _DIGITS.findall(name)]
        if numbers < last.get(pattern := _DIGITS.sub("#", name), []):
            return True
        last[pattern] = numbers
    return False


def _mismatch(shapes: Shapes) -> str:
    for below, above in pairwise(shapes):
        if shapes[below][0] != shapes[above][1]:
            return f"{above}: takes {shapes[above][1]} inputs, but the layer before has {shapes[below][0]} outputs"
    return ""


def listed(names: Sequence[str]) -> str:
    """Return the first names as text."""
    return ", ".join(repr(name[:60]) for name in names[:6]) + (", ..." if len(names) > 6 else "")

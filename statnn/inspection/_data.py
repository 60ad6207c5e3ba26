"""Samples and labels from files: npz with x and y (or the names of the well-known mnist.npz), or npy."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._archive import npz as _npz
from statnn._archive.atomic import path_of
from statnn._archive.words import line_of
from statnn._arguments import Ints, array_of, positive
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn.inspection._foreign import refuse_foreign

SPLITS = ("test", "train")
NOT_IN_FILE = "the data have no labels; give them with --labels, or as y in the npz file"
NOT_GIVEN = "no labels were given"
ABSENT = (NOT_IN_FILE, NOT_GIVEN)
"""Reasons for missing labels that do not rule out classes."""
_KEYS = (("x", "y"), ("x_test", "y_test"), ("x_train", "y_train"))


@dataclass(frozen=True, eq=False, repr=False)
class Data(ByValue):
    """Samples in the form that a network takes.

    Parameters
    ----------
    x : ndarray, shape (samples, inputs)
        Inputs, after scaling; images are flattened.
    labels : ndarray of int, shape (samples,), or None
        Class of every sample, or None if not known.
    source : str
        Origin and treatment of the samples, in words.
    no_labels : str
        Why there are no labels; empty if there are.
    shape : tuple of int
        Shape of one sample before it was flattened, (28, 28) for an image; empty if not known.
    numbers : ndarray of int, shape (samples,), or None
        Indices of these samples among those read; None for all.
    given : ndarray, shape (samples, ...), or None
        Labels as they were read, which may be a classifier's names of its classes; None if equal to `labels`.
    """

    x: NDArray[Any]
    labels: Ints | None
    source: str
    no_labels: str = ""
    shape: tuple[int, ...] = ()
    numbers: Ints | None = None
    given: NDArray[Any] | None = None


def read_data(
    path: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    *,
    split: str = "test",
    scale: float | None = None,
) -> Data:
    """Return samples and labels of a file.

    Parameters
    ----------
    path : str or os.PathLike
        An npz file with arrays ``x`` and, if known, ``y``, or ``x_test`` and ``y_test`` as in mnist.npz; or an npy file
        of samples. Images of any shape are flattened.
    labels : str or os.PathLike, optional
        Another file, npy or npz with ``y``, or the name of an array in the npz file. Whole numbers, one per sample, or
        one row per sample with a single 1.
    split : {"test", "train"}
        Which samples to take if the file has both, or one of them beside ``x``.
    scale : float, optional
        Factor that multiplies the samples. By default bytes are divided by 255, and other numbers are not scaled.

    Returns
    -------
    Data
        ``source`` tells what was read and how it was scaled.

    Raises
    ------
    ValueError, TypeError
        If the file is damaged, has no such arrays, or samples and labels do not fit.
    OSError, MemoryError
        If it cannot be read, or not into memory.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     np.savez(f"{directory}/some.npz", x=np.full((5, 2, 2), 255, np.uint8), y=np.arange(5))
    ...     data = read_data(f"{directory}/some.npz")
    >>> data.x.shape, float(data.x.max()), data.labels
    ((5, 4), 1.0, array([0, 1, 2, 3, 4]))
    """
    if split not in SPLITS:
        raise ValueError(f"split = {split!r}: choose 'test' or 'train'")
    file, file_of_labels = path_of(path, "path"), None if labels is None else path_of(labels, "labels")
    x, y, name = _read(file, None if labels is None else str(labels), split)
    if y is None and file_of_labels is not None:
        y = _labels_of(file_of_labels)
    source = line_of(file.name)  # its bytes may not be text
    samples, how = _samples(x, scale, f"{source}, array {name!r}" if name else source)
    known, why = _labels(y, len(samples))
    if known is None and y is None:
        why = NOT_IN_FILE
    return Data(samples, known, how, why, x.shape[1:], given=y)


def as_data(data: Any, labels: Any, classes: NDArray[Any] | None) -> Data:
    """Return data with labels as indices of the outputs."""
    if isinstance(data, Data):
        if labels is not None:
            raise TypeError("labels are given, but the Data hold them already: leave them out")
        return _numbered(data, classes)
    if not isinstance(data, str | os.PathLike):
        return _given(data, labels, classes)
    if labels is None or isinstance(labels, str | os.PathLike):
        return _numbered(read_data(data, labels), classes)
    read = read_data(data)
    return replace(_given(read.x, labels, classes), source=read.source, shape=read.shape)


def subset(data: Data, kept: Ints, how: str) -> Data:
    """Return some of the samples, with their labels."""
    labels, given = (None if part is None else part[kept] for part in (data.labels, data.given))
    numbers = kept if data.numbers is None else data.numbers[kept]
    return replace(data, x=data.x[kept], labels=labels, source=f"{data.source}; {how}", numbers=numbers, given=given)


def may_be_classes(data: Data) -> bool:
    """Return whether there are labels, or no reason against classes other than that they were not given."""
    return data.labels is not None or data.no_labels in ABSENT


def within(data: Data, classes: int) -> Data:
    """Return the data, without labels if these exceed the number of classes of the network."""
    if data.labels is None or data.labels.max() < classes:
        return data
    why = (
        f"labels reach {data.labels.max()}, but the network tells {classes} classes apart; they are numbered from 0 in "
        "the order of the outputs"
    )
    return replace(data, labels=None, no_labels=why)


def _numbered(data: Data, classes: NDArray[Any] | None) -> Data:
    """Return data, possibly made by hand, in the form that `_given` makes of arrays."""
    given = data.labels
    if data.given is not None:
        known, _ = _classes(data.given, len(data.given), None)
        if given is known or (known is not None and np.array_equal(known, np.asarray(given))):
            given = data.given  # the labels are unchanged since they were read
    made = _given(data.x, given, classes)
    why = made.no_labels if given is not None else data.no_labels or made.no_labels
    return replace(data, x=made.x, labels=made.labels, no_labels=why, shape=data.shape or made.shape)


def _given(x: ArrayLike, labels: ArrayLike | None, classes: NDArray[Any] | None = None) -> Data:
    """Return arrays as data, not scaled; labels become indices of the outputs if the classes are known."""
    if isinstance(x, tuple) and labels is None and len(x) == 2 and np.ndim(x[0]) > 1:
        raise TypeError("the data are a pair; pass samples and labels one after the other, inspect(network, x, y)")
    refuse_other_order(labels, "labels", x, "samples")
    whole = array_of(x, "the data")
    samples, how = _samples(whole, 1.0, "arrays")
    known, why = _classes(None if labels is None else array_of(labels, "labels"), len(samples), classes)
    return Data(samples, known, how, why or ("" if known is not None else NOT_GIVEN), whole.shape[1:])


def _classes(given: NDArray[Any] | None, samples: int, classes: NDArray[Any] | None) -> tuple[Ints | None, str]:
    """Return indices of the outputs: from rows with a single 1, or from names of the classes, which increase."""
    row = None if given is None else _row(given)
    if row is not None and row.ndim == 1 and len(row) == samples and classes is not None:
        return _numbers(row, classes)
    return _labels(row, samples)


def _numbers(labels: NDArray[Any], classes: NDArray[Any]) -> tuple[Ints | None, str]:
    """Return the index of every label among the increasing classes, or why there is none."""
    names = classes.tolist()
    where = {name: k for k, name in enumerate(names)}
    values = labels.tolist()
    unknown = next((value for value in values if value not in where), None)
    if unknown is not None:
        known = ", ".join(map(repr, names[:20]))
        return None, f"the label {unknown!r} is none of the classes of the classifier: {known}"
    return np.array([where[value] for value in values], dtype=np.int64), ""


def _read(file: Path, labels: str | None, split: str) -> tuple[NDArray[Any], NDArray[Any] | None, str]:
    refuse_foreign(file)
    if file.suffix.lower() == ".npy":
        return _npz.npy(file), None, ""
    with _npz.npz(file) as archive:
        for x, y in sorted(_KEYS, key=lambda pair: (split not in pair[0], pair[0] != "x")):
            if x in archive:
                own = labels if labels is not None and labels in archive else y if labels is None else None
                return archive[x], archive[own] if own is not None and own in archive else None, x
        raise ValueError(f"it has arrays {', '.join(archive.names)}; samples are named x, or x_test and x_train")


def _labels_of(file: Path) -> NDArray[Any]:
    if not file.exists():
        raise ValueError(f"labels = {str(file)!r} is neither an array of the data nor an .npy or .npz file")
    refuse_foreign(file, "labels")
    if file.suffix.lower() == ".npy":
        return _npz.npy(file)
    with _npz.npz(file) as archive:
        for name in ("y", "labels"):
            if name in archive:
                return archive[name]
        raise ValueError(f"it has arrays {', '.join(archive.names)}; labels are named y")


def _samples(x: NDArray[Any], scale: float | None, name: str) -> tuple[NDArray[Any], str]:
    if x.dtype.kind not in "biuf" or x.ndim < 2 or 0 in x.shape:
        raise ValueError(
            f"{name} holds {x.dtype} of shape {x.shape}; samples are real numbers of shape (samples, ...), one or more"
        )
    flat = x.reshape(len(x), -1)
    how = f"{name}: {len(flat)} samples of {flat.shape[1]} inputs"
    if x.ndim > 2:
        how += f", flattened from {' × '.join(map(str, x.shape[1:]))}"
    if scale is None:
        scale = 1 / 255 if x.dtype == np.uint8 else 1.0
        how += ", bytes divided by 255" if x.dtype == np.uint8 else ""
    elif scale != 1:
        how += f", multiplied by {positive(scale, 'scale', why='it multiplies the samples'):g}"
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        row, column = np.argwhere(~np.isfinite(flat))[0]
        raise ValueError(
            f"{name} has entries that are not finite numbers, first {flat[row, column]} at input {column} of sample "
            f"{row}: leave out such samples, x[numpy.isfinite(x).all(axis=1)]"
        )
    if x.dtype in (np.uint8, np.float16):
        flat = flat.astype(np.float32)
    if scale != 1:
        with np.errstate(over="ignore"):
            flat = flat * (flat.dtype.type(scale) if flat.dtype.kind == "f" else float(scale))
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        raise ValueError(f"{name} times {scale:g} exceeds the range of {flat.dtype}: choose a smaller scale")
    return flat, how


def _labels(y: NDArray[Any] | None, samples: int) -> tuple[Ints | None, str]:
    """Return classes, or why `y` holds none; raise if it does not fit the samples."""
    if y is None:
        return None, ""
    if len(y.shape) == 0 or len(y) != samples:
        raise ValueError(f"labels have shape {y.shape} for {samples} samples; one per sample is needed")
    y = _row(y)
    if y.ndim == 2 and y.dtype.kind in "biuf" and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()):
        return y.argmax(axis=1).astype(np.int64), ""
    if y.ndim > 1:
        return None, f"the labels have shape {y.shape}, so they are not classes"
    return _whole(y)


def _row(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels as a row if they are a column of a table."""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _whole(y: NDArray[Any]) -> tuple[Ints | None, str]:
    """Return a row of labels as classes, or why they are not classes."""
    if y.dtype == object and all(isinstance(label, Integral) for label in y):  # tables may hold whole numbers like this
        y = np.asarray(y.tolist())
    if y.dtype.kind == "f":
        y = y.astype(np.float64)  # 2**31 is beyond half precision
        if bool((y == np.round(y)).all()) and bool((np.abs(y) < 2**31).all()):
            y = y.astype(np.int64)
    if y.dtype.kind not in "biu":
        return None, f"the labels are {y.dtype}, not whole numbers, so they are not classes numbered as the outputs"
    for reached in (int(y.min()), int(y.max())):
        if not 0 <= reached < 2**63:
            return None, f"the labels reach {reached}; classes are numbered from 0, in the order of the outputs"
    return y.astype(np.int64), ""

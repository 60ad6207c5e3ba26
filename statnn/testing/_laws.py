"""Checks of laws: named laws, each applied to an object, and a report of the outcomes."""

from __future__ import annotations

import copy
import pickle
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from types import FunctionType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import whole
from statnn._notebook import Rows, Shown
from statnn._random import stream
from statnn.testing._ledger import StatisticalFailure, budget, current

__tracebackhide__ = True  # pytest then shows the line of the caller
Subject = TypeVar("Subject")
Place = Callable[[tuple[int, ...]], str]


class Outcome(StrEnum):
    """Outcome of a law."""

    HELD = "held"
    BROKEN = "broken"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Law(Shown):
    """One law, applied to one object.

    Parameters
    ----------
    name : str
        Name in the report.
    compared : str
        The two things compared.
    outcome : Outcome
        "held", "broken" or "not asked".
    detail : str
        How closely it held; or where it broke, with both values; or why it was not asked.

    See Also
    --------
    LawReport : holds them.
    """

    name: str
    compared: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, repr=False)
class LawReport(Shown):
    """Result of a check; it prints as a table.

    Parameters
    ----------
    subject : str
        The checked object.
    laws : tuple of Law
        In the order in which they were asked.
    seed : int
        Pass it as ``rng=`` to repeat the check.

    See Also
    --------
    check_activation, check_layer, check_method, check_model, check_process : make it.

    Examples
    --------
    >>> from statnn import rg
    >>> from statnn.testing import check_layer
    >>> check_layer(rg.LinearLayer(0.5, 1.0, 0.3), rng=1).names("broken")
    ()
    """

    subject: str
    laws: tuple[Law, ...]
    seed: int

    def names(self, outcome: str) -> tuple[str, ...]:
        """Return the names of the laws that were "held", "broken" or "not asked".

        Parameters
        ----------
        outcome : str
            One of the three.
        """
        kind = Outcome(outcome)
        return tuple(law.name for law in self.laws if law.outcome is kind)

    def _rows(self) -> tuple[Law, ...]:
        return self.laws

    def _table(self) -> Rows:
        rows = [(law.name, law.outcome, law.compared, law.detail) for law in self.laws]
        return Rows(("law", "outcome", "compared", "how closely, or why not"), rows)

    def __repr__(self) -> str:
        counted = Counter(str(law.outcome) for law in self.laws)
        return f"LawReport({self.subject}: {', '.join(f'{count} {outcome}' for outcome, count in counted.items())})"

    def __str__(self) -> str:
        broken, asked = len(self.names("broken")), sum(law.outcome is not Outcome.NOT_ASKED for law in self.laws)
        head = f"{self.subject}: " + (f"{broken} of {asked} laws are broken" if broken else f"all {asked} laws hold")
        wide = max((len(law.name) for law in self.laws), default=0)
        rows = [f"  {law.name:<{wide}}  {law.outcome:<9}  {law.compared}: {law.detail}" for law in self.laws]
        return "\n".join([head, *rows])


class BrokenLawError(StatisticalFailure):
    """An object breaks a law, exactly or beyond chance; `report` holds all laws with their outcomes."""

    def __init__(self, report: LawReport) -> None:
        broken = [law for law in report.laws if law.outcome is Outcome.BROKEN]
        lines = [f"{report.subject} breaks {len(broken)} of {len(report.laws)} laws (rng={report.seed} repeats this)"]
        lines += [f"  {law.name}: {law.compared}: {law.detail}" for law in broken]
        super().__init__("\n".join(lines))
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return BrokenLawError, (self.report,)


class Broken(AssertionError):  # noqa: N818 - raised by laws, collected in BrokenLawError
    """Raised by a law that does not hold: the place and both values."""


class NotAsked(Exception):  # noqa: N818 - nothing is wrong
    """Raised by a law that does not apply to an object."""


def seed_of(rng: int | np.random.Generator | None) -> int:
    """Return the seed of a check as a number, with which it can be repeated."""
    if rng is None:
        return int(np.random.SeedSequence().entropy)  # type: ignore[arg-type]
    if isinstance(rng, np.random.Generator):
        return int.from_bytes(rng.bytes(16))
    return whole(rng, "rng", minimum=0, maximum=2**128 - 1)


def called(thing: Any) -> str:
    """Return the name of an object in a report: its repr, or its class if it has no repr of its own."""
    own: object = type(thing).__repr__
    return repr(thing) if own is not object.__repr__ else type(thing).__name__


def numbers_for(seed: int, law: str) -> np.random.Generator:
    """Return the random numbers of a law, which do not depend on those of other laws."""
    return stream((seed, ()), zlib.crc32(law.encode()))


def examine(
    what: str, subject: Subject, laws: Sequence[Callable[[Subject], str]], seed: int, *, comparisons: int = 0
) -> LawReport:
    """Apply all laws; return the report, or raise it.

    A law is a function: its name is that of the law, the first line of its docstring states the comparison, and it
    returns how closely the two agree. `comparisons` is the number of comparisons from the budget of false alarms that
    all laws may make.
    """
    if not comparisons:
        return _asked(what, subject, laws, seed)
    with budget(comparisons=comparisons):
        current()  # raises, before any work, if there is no budget to spend
        return _asked(what, subject, laws, seed)


def _asked(what: str, subject: Subject, laws: Sequence[Callable[[Subject], str]], seed: int) -> LawReport:
    rows: list[Law] = []
    cause: BaseException | None = None
    for law in laws:
        name = law.__name__.strip("_").replace("_", " ")
        compared = (law.__doc__ or name).strip().split("\n")[0].removeprefix("Compare ").rstrip(".")
        try:
            rows.append(Law(name, compared, Outcome.HELD, law(subject)))
        except NotAsked as reason:
            rows.append(Law(name, compared, Outcome.NOT_ASKED, str(reason)))
        except Exception as error:  # noqa: BLE001 - whatever an object raises breaks the law that asked it
            said = isinstance(error, AssertionError)
            rows.append(
                Law(name, compared, Outcome.BROKEN, str(error) if said else f"raised {type(error).__name__}: {error}")
            )
            cause = cause or (None if said else error)  # a full message needs no traceback
    report = LawReport(what, tuple(rows), seed)
    if report.names(Outcome.BROKEN):
        raise BrokenLawError(report) from cause
    return report


# -- building blocks of laws --------------------------------------------------------------------------


def reals(values: ArrayLike) -> NDArray[np.float64]:
    """Return an array of floats, or raise if they are not real: numpy would drop imaginary parts and parse texts."""
    array = np.asarray(values)
    if array.dtype.kind not in "biufO":
        raise Broken(f"{array.dtype} instead of real numbers")
    return array.astype(float)


def same(
    actual: ArrayLike,
    expected: ArrayLike,
    *,
    rel: ArrayLike = 0.0,
    abs: ArrayLike = 0.0,  # noqa: A002 - as in math.isclose
    at: Place | None = None,
) -> str:
    """Return how close two arrays are, or raise with the place of the largest difference and both values."""
    a, b = np.broadcast_arrays(reals(actual), reals(expected))
    if not a.size:
        return "nothing to compare"
    with np.errstate(all="ignore"):
        allowed = np.asarray(abs, dtype=float) + np.asarray(rel, dtype=float) * np.abs(b)
        apart = np.where(a == b, 0.0, np.abs(a - b))
        excess = np.where(apart <= allowed, 0.0, apart / np.where(allowed > 0, allowed, np.finfo(float).tiny))
    excess = np.where(np.isnan(a) | np.isnan(b), np.inf, excess)
    if excess.any():
        worst = tuple(int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
        where = (at or _index)(worst)
        raise Broken(f"{where}{a[worst]:.10g} instead of {b[worst]:.10g}, {allowed[worst]:.2g} apart are allowed")
    return f"{_count(a.size)}, at most {np.max(apart):.2g} apart"


def holds(true: ArrayLike, *, at: Place, values: ArrayLike, wanted: str) -> str:
    """Return how many values fulfil a condition, or raise with the first that does not."""
    ok, shown = np.broadcast_arrays(np.asarray(true), np.asarray(values))
    if not ok.all():
        first = tuple(int(i) for i in np.unravel_index(int(np.argmin(ok)), ok.shape))
        raise Broken(f"{at(first)}{shown[first]:.10g}, which is not {wanted}")
    return _count(ok.size)


def _count(number: int) -> str:
    return f"{number} value{'s' * (number != 1)}"


def _index(index: tuple[int, ...]) -> str:
    return f"at [{', '.join(map(str, index))}]: " if index else ""


def ask(thing: Any, *names: str) -> None:
    """Raise `NotAsked` unless the object has all these attributes, and none of them is None."""
    if missing := [name for name in names if getattr(thing, name, None) is None]:
        raise NotAsked(f"there is no {' and no '.join(missing)}")


def parted(draw: Callable[[int], ArrayLike], seed: int, what: str) -> None:
    """Raise if two of the drawn items are the same under each of 16 seeds, which chance alone does not produce."""
    labels: list[NDArray[Any]] = []
    for other in range(16):
        drawn = np.asarray(draw(seed + other))
        labels.append(np.unique(drawn.reshape(len(drawn), -1), axis=0, return_inverse=True)[1].ravel())
        _, first, group = np.unique(np.stack(labels, axis=1), axis=0, return_index=True, return_inverse=True)
        twins = np.flatnonzero(first[group.ravel()] != np.arange(len(drawn)))
        if not twins.size:
            return
    if first.size == 1:
        raise Broken(f"all {what}s are the same: each needs a stream of its own")
    twin = int(twins[0])
    raise Broken(f"{what}s {first[group.ravel()[twin]]} and {twin} are the same: each needs a stream of its own")


def copies(thing: Any) -> str:
    """Check that pickled and copied objects have equal parts; raise if not."""
    try:
        raw = pickle.dumps(thing)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotAsked(f"it cannot be pickled: {error}".split("\n", maxsplit=1)[0]) from None
    for way, again in (("pickled", pickle.loads(raw)), ("copied", copy.deepcopy(thing))):  # noqa: S301 - our own bytes
        if type(again) is not type(thing):
            raise Broken(f"{way}: a {type(again).__name__} instead of a {type(thing).__name__}")
        if not by_identity(thing):
            if again != thing:
                raise Broken(f"{way}: {again!r} is not equal to {thing!r}")
            if type(thing).__hash__ is not None and hash(again) != hash(thing):
                raise Broken(f"{way}: hash {hash(again)} instead of {hash(thing)}")
        else:
            alike(again, thing, rel=0.0, abs=0.0)
    return "pickled and copied"


def by_identity(thing: Any) -> bool:
    """Return whether objects of this type are equal only if identical."""
    return bool(getattr(type(thing), "__eq__", None) is object.__eq__)


def leaves(thing: Any, name: str = "") -> list[tuple[str, Any]]:
    """Return numbers, arrays and other parts of a dataclass, or of the attributes of an object, each with its name."""
    if isinstance(thing, np.ndarray | int | float | complex | np.number):
        return [(name, np.asarray(thing))]
    if isinstance(thing, list | tuple):
        return [leaf for i, part in enumerate(thing) for leaf in leaves(part, f"{name}[{i}]")]
    if is_dataclass(thing) and not isinstance(thing, type):
        names = [field.name for field in fields(thing) if field.compare]
    elif hasattr(thing, "__dict__") and by_identity(thing) and not isinstance(thing, type | FunctionType):
        names = list(vars(thing))
    else:
        return [(name, thing)]
    return [leaf for each in names for leaf in leaves(getattr(thing, each), f"{name}.{each}" if name else each)]


def alike(actual: Any, expected: Any, *, rel: float, abs: float) -> str:  # noqa: A002 - as in math.isclose
    """Return how close the parts of two objects are; tolerances are relative to the largest entry of an array."""
    first, second = leaves(actual), leaves(expected)
    if [name for name, _ in first] != [name for name, _ in second]:
        parts = [", ".join(name for name, _ in every) for every in (first, second)]
        raise Broken(
            f"{type(actual).__name__} with parts {parts[0]} instead of {type(expected).__name__} with {parts[1]}"
        )
    worst = 0.0
    for (name, a), (_, b) in zip(first, second, strict=True):
        if not isinstance(a, np.ndarray):
            if a != b and not (by_identity(a) and type(a) is type(b)):
                raise Broken(f"{name} is {a!r} instead of {b!r}")
            continue
        if np.shape(a) != np.shape(b):
            raise Broken(f"{name} has shape {np.shape(a)} instead of {np.shape(b)}")
        scale = float(np.max(np.abs(b), initial=0.0)) if a.dtype.kind in "fc" else 0.0
        place = lambda i, name=name: f"{name}{list(i) if i else ''}: "  # noqa: E731 - each of its own name
        same(a, b, abs=abs + rel * scale, at=place)
        worst = max(worst, float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float)), initial=0.0)))
    return f"{len(first)} parts, at most {worst:.2g} apart"

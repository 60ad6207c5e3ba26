"""Accounts of false alarms, and of the comparisons over which they are divided.

Only the standard library is imported here: the pytest plugin is loaded before numpy may be.
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

FALSE_ALARMS = 1e-6
COMPARISONS = 1000


class StatisticalFailure(AssertionError):  # noqa: N818 - a failed test, like the AssertionError it is
    """Data and theory disagree beyond chance."""


def _is_real(value: object) -> bool:
    """Return whether a value is a real number; numpy, which is not asked here, counts durations among whole ones."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and kind != "m"


@dataclass
class Ledger:
    """The comparisons of one test or one block, each at the level ``false_alarms / comparisons``.

    Comparisons inside `rejects` raise no alarm and are not counted.

    Parameters
    ----------
    false_alarms : float
        Probability, in (0, 1), that all planned comparisons together raise a false alarm.
    comparisons : int
        Planned number of comparisons, at least 1.
    p : list of float
        The p-values so far.
    twins : int
        Number of open blocks of `rejects`.

    See Also
    --------
    budget : opens one for a block of code.

    Examples
    --------
    >>> ledger = Ledger(comparisons=10)
    >>> ledger.enter(0.3)
    >>> ledger.p, ledger.level
    ([0.3], 1e-07)
    """

    false_alarms: float = FALSE_ALARMS
    comparisons: int = COMPARISONS
    p: list[float] = field(default_factory=list)
    twins: int = 0

    def __post_init__(self) -> None:
        if not (_is_real(self.false_alarms) and 0 < self.false_alarms < 1):
            raise ValueError(f"false_alarms = {self.false_alarms!r} must be a probability in (0, 1), as 1e-6")
        if isinstance(self.comparisons, bool) or not isinstance(self.comparisons, int) or self.comparisons < 1:
            raise ValueError(f"comparisons = {self.comparisons!r} must be a whole number >= 1: how many are planned")

    @property
    def level(self) -> float:
        """The p-value below which one comparison fails."""
        return self.false_alarms / self.comparisons

    def enter(self, p: float) -> None:
        """Count a comparison, unless it is inside `rejects`."""
        if not (_is_real(p) and 0 <= p <= 1):
            raise ValueError(f"p = {p!r} is not a probability")
        if not self.twins:
            self.p.append(float(p))


_OPEN: list[Ledger] = []


@contextmanager
def opened(ledger: Ledger) -> Iterator[Ledger]:
    """Enter comparisons in a ledger while the block lasts."""
    _OPEN.append(ledger)
    try:
        yield ledger
    finally:
        _OPEN.pop()


def current() -> Ledger:
    """Return the open ledger, or raise with advice; also raise inside hypothesis, which retries."""
    hypothesis = sys.modules.get("hypothesis")
    if hypothesis and hypothesis.currently_in_test_context():
        raise RuntimeError(
            "a statistical comparison inside @given has no level: examples and shrinking repeat it until it fails. "
            "Compare exactly there, or draw parameters with @pytest.mark.parametrize and seeds from the fixture "
            "statnn_rng"
        )
    if not _OPEN:
        raise RuntimeError(
            "nobody keeps account of false alarms here. In a test, let pytest load the plugin that comes with statnn: "
            "it does where statnn is installed, unless -p no:statnn.testing.plugin is given; elsewhere run "
            "pytest -p statnn.testing.plugin. Outside pytest: with statnn.testing.budget(comparisons=10): ..."
        )
    return _OPEN[-1]


def own_level() -> float:
    """Return the level of the open ledger, else the default level."""
    return _OPEN[-1].level if _OPEN else FALSE_ALARMS / COMPARISONS


@contextmanager
def budget(*, false_alarms: float = FALSE_ALARMS, comparisons: int = COMPARISONS) -> Iterator[Ledger]:
    """Keep account of false alarms outside pytest, as in a notebook.

    If the theory is right, all comparisons of the block together fail by chance with probability at most
    `false_alarms`; each has the level ``false_alarms / comparisons``. Under pytest, or inside another `budget`,
    comparisons count for the outer account, and the two numbers are not used.

    Parameters
    ----------
    false_alarms : float
        In (0, 1).
    comparisons : int
        Planned number of comparisons; more raise an error at the end of the block.

    Returns
    -------
    context manager
        It gives the ledger, with ``.level`` and the p-values ``.p`` so far.

    Raises
    ------
    StatisticalFailure
        At the end, if more comparisons were made than planned.

    See Also
    --------
    Ledger : the account.
    rejects : for checks that must fail.

    Examples
    --------
    >>> from statnn.testing import assert_proportion
    >>> with budget(comparisons=10):
    ...     assert_proportion(52, 100, 0.5, what="heads")
    """
    ledger = Ledger(false_alarms, comparisons)
    if _OPEN:
        yield _OPEN[-1]
        return
    with opened(ledger):
        yield ledger
    if len(ledger.p) > ledger.comparisons:
        raise StatisticalFailure(
            f"{len(ledger.p)} comparisons were made and comparisons={ledger.comparisons} planned: the probability of "
            "a false alarm is larger than was asked for. Plan more"
        )

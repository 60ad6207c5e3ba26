"""The pytest plugin that keeps account of false alarms: one budget for a whole session.

Loaded automatically if the package is installed, else with ``-p statnn.testing.plugin``; both have the same name, so
together they load it once. Silent in sessions that compare nothing.

Options, each also a line of the ini-file with underscores (``statnn_comparisons = 200``):

``--statnn-false-alarms P`` (1e-6)
    Probability that a session fails by chance if all theories are right.
``--statnn-comparisons N`` (1000)
    Number of comparisons over which it is divided. A session that makes more fails.
``--statnn-seed SEED`` (0)
    Root of all streams of the fixture ``statnn_rng``.
``--statnn-record FILE``
    Appends a line of JSON with the p-values of every test that compares or draws, for a calibration over many seeds.

Rules. The level of one comparison is P / N whatever tests are selected, so that a test passes or fails alone (``-k``,
``--lf``, a single name) as it does in the whole suite. Repeating a test with its seed repeats its numbers. A rejected
test stays rejected: if another plugin runs it again in the same session, it fails at once, because retries until
success would hide a wrong theory; its comparisons count each time. Workers of pytest-xdist send their comparisons with
their reports, so there is one account. Without the plugin (``-p no:statnn.testing.plugin``) assertions refuse to
compare, and the fixtures are missing.

Fixtures: ``statnn_rng``, a numpy generator that depends on the seed and on the test's name and parameters, not on its
file or on what ran before; ``statnn_seed``, the seed. For a shorter name, in ``conftest.py``::

    @pytest.fixture
    def rng(statnn_rng):
        return statnn_rng
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statnn.testing._ledger import COMPARISONS, FALSE_ALARMS, Ledger, StatisticalFailure, opened

try:
    import pytest
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        'statnn.testing.plugin needs pytest: pip install "statnn[testing]"', name="pytest"
    ) from None

if TYPE_CHECKING:
    import numpy as np

SETTINGS = {
    "false_alarms": (float, FALSE_ALARMS, "probability that a session of right theories fails by chance"),
    "comparisons": (int, COMPARISONS, "statistical comparisons that share it; a session that makes more fails"),
    "seed": (int, 0, "root of the streams of the fixture statnn_rng, >= 0"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("statnn", "statistical comparisons")
    for name, (_, default, text) in SETTINGS.items():
        group.addoption(f"--statnn-{name.replace('_', '-')}", metavar=name.upper(), help=f"{text} (default: {default})")
        parser.addini(f"statnn_{name}", text, default=str(default))
    group.addoption("--statnn-record", metavar="FILE", help="add a line of JSON for every test that compares or draws")


def setting(config: pytest.Config, name: str) -> Any:
    """Return a setting from the command line, else from the ini-file."""
    kind, default, _ = SETTINGS[name]
    given = config.getoption(f"statnn_{name}")
    text = config.getini(f"statnn_{name}") if given is None else given
    try:
        return kind(text)
    except ValueError:
        raise pytest.UsageError(f"statnn_{name} = {text!r} is not a number; write one as {default}") from None


def pytest_configure(config: pytest.Config) -> None:
    """Open the account of the session, or refuse invalid settings."""
    try:
        account = Account(config)
    except ValueError as error:
        raise pytest.UsageError(f"statnn: {error}") from None
    except OSError as error:
        raise pytest.UsageError(f"--statnn-record {error.filename} cannot be written to: {error.strerror}") from None
    config.pluginmanager.register(account, "statnn account")


class Account:
    """The comparisons of a session; workers of pytest-xdist send theirs in their reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.false_alarms, self.comparisons = setting(config, "false_alarms"), setting(config, "comparisons")
        self.seed, record = setting(config, "seed"), config.getoption("statnn_record")
        self.record = record and Path(record).absolute()  # a test may change the current folder
        if self.seed < 0:
            raise ValueError(f"seed = {self.seed} must be a whole number >= 0")
        self.ledger = Ledger(self.false_alarms, self.comparisons)
        self.is_worker = hasattr(config, "workerinput")
        if self.record and not self.is_worker:
            self.record.open("a").close()  # an hour of tests must not end here
        self.rejected: dict[str, str] = {}
        self.seen: dict[str, list[float]] = {}
        self.made, self.smallest, self.where = 0, 1.0, ""

    # -- in the process that runs tests --

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Keep account while a test runs, with its fixtures."""
        self.ledger = Ledger(self.false_alarms, self.comparisons)
        with opened(self.ledger):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Refuse to rerun a rejected test until it passes."""
        if first := self.rejected.get(item.nodeid):
            raise StatisticalFailure(
                f"rejected before in this session, and a wrong theory is not tried until it passes: {first}"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write the comparisons since the last report into this one."""
        report = yield
        report.statnn_p, self.ledger.p = self.ledger.p, []  # type: ignore[attr-defined]
        report.statnn_draws = "statnn_seed" in getattr(item, "fixturenames", ())  # type: ignore[attr-defined]
        if call.excinfo and call.excinfo.errisinstance(StatisticalFailure):
            self.rejected.setdefault(item.nodeid, str(call.excinfo.value))
        return report

    # -- in the process that receives reports --

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the comparisons of a report."""
        if self.is_worker:
            return
        compared = getattr(report, "statnn_p", [])
        self.made += len(compared)
        if compared and min(compared) <= self.smallest:
            self.smallest, self.where = min(compared), report.nodeid
        self.seen.setdefault(report.nodeid, []).extend(compared)
        if report.when == "teardown":
            every = self.seen.pop(report.nodeid)
            if self.record and (every or getattr(report, "statnn_draws", False)):
                with self.record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"what": report.nodeid, "p": {"p": every} if every else {}}) + "\n")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail if there were more comparisons than planned."""
        if self.made > self.comparisons and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Report the comparisons and the rest of the budget."""
        if not self.made:
            return
        level = self.false_alarms / self.comparisons
        left = max(0.0, self.false_alarms - self.made * level)
        terminalreporter.line(
            f"{self.made} statistical comparisons of {self.comparisons} planned, each at {level:.2g}; smallest p = "
            f"{self.smallest:.2g} in {self.where}; budget of false alarms left: {left:.3g} of {self.false_alarms:.2g} "
            f"(seed {self.seed})"
        )
        if self.made > self.comparisons:
            terminalreporter.line(
                f"FAILED: {self.made} comparisons exceed the {self.comparisons} that share the budget of false alarms; "
                "make fewer, or plan more with statnn_comparisons in the ini-file",
                red=True,
            )


@pytest.fixture(scope="session")
def statnn_seed(pytestconfig: pytest.Config) -> int:
    """Seed of the session, from which all streams follow."""
    return int(setting(pytestconfig, "seed"))


@pytest.fixture
def statnn_rng(statnn_seed: int, request: pytest.FixtureRequest) -> np.random.Generator:
    """Stream that depends on the seed, the test's function and its parameters: not on order or file."""
    from numpy.random import SeedSequence, default_rng

    digest = hashlib.sha256(request.node.name.encode()).digest()
    return default_rng(SeedSequence(statnn_seed, spawn_key=(int.from_bytes(digest[:16]),)))

"""What all tests of a session share: a root seed, one core, fresh kernels, a budget of false alarms."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

# These are read when numpy and numba are first imported. BLAS threads that spin on a busy machine are slower
# than none, and a kernel cached before its helper changed in another file would be the wrong kernel.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["MPLBACKEND"] = "Agg"
KERNELS = os.environ["NUMBA_CACHE_DIR"] = (  # workers of pytest-xdist share those of the session that started them
    os.environ["NUMBA_CACHE_DIR"] if "PYTEST_XDIST_WORKER" in os.environ else tempfile.mkdtemp(prefix="statnn-kernels-")
)

import checks
import hypothesis
import numpy as np
import pytest

ROOT_SEED = 20241218

hypothesis.settings.register_profile("default", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000, print_blob=True)
hypothesis.settings.load_profile("default")


def pytest_addoption(parser):
    parser.addoption(
        "--root-seed",
        type=int,
        default=ROOT_SEED,
        help="seed from which every test derives its own (default: fixed)",
    )

    parser.addoption(
        "--record-p", metavar="FILE", help="add a line of JSON with the p-values of every test that compares"
    )


def pytest_runtest_setup():
    checks.LEDGER.p.clear()


def pytest_runtest_teardown(item):
    path = item.config.getoption("--record-p")
    if path and checks.LEDGER.p:
        line = json.dumps({"what": item.nodeid, "p": {"p": checks.LEDGER.p}}) + "\n"
        with Path(path).open("ab", buffering=0) as file:  # one write, so that lines of several workers stay whole
            file.write(line.encode())


def pytest_report_header(config):
    profile = hypothesis.settings.get_current_profile_name()
    return f"root seed: {config.getoption('--root-seed')}; hypothesis profile: {profile}"


def pytest_terminal_summary(terminalreporter):
    made = checks.LEDGER.made
    terminalreporter.line(f"{made} statistical comparisons of {checks.CHECKS}, {checks.LEVEL:.2g} each")
    if made > checks.CHECKS:
        terminalreporter.line(
            f"FAILED: {made} comparisons exceed the {checks.CHECKS} that share the budget of false alarms; "
            "make fewer or raise CHECKS in tests/support/checks.py",
            red=True,
        )


class Workers:
    """Adds up what the workers of pytest-xdist have compared."""

    @staticmethod
    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(node):
        checks.LEDGER.made += getattr(node, "workeroutput", {}).get("comparisons", 0)


def pytest_configure(config):
    config.pluginmanager.register(Workers())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["comparisons"] = checks.LEDGER.made
    if checks.LEDGER.made > checks.CHECKS and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure():
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(KERNELS, ignore_errors=True)


@pytest.fixture(scope="session")
def root_seed(pytestconfig):
    return pytestconfig.getoption("--root-seed")


@pytest.fixture
def rng(root_seed, request):
    """Return a stream that depends on the root seed, the test's function and its parameters: not on order or file."""
    digest = hashlib.sha256(request.node.name.encode()).digest()
    return np.random.default_rng(np.random.SeedSequence(root_seed, spawn_key=(int.from_bytes(digest[:16]),)))

"""What all tests of a session share: a seed, one core, fresh kernels."""

import os
import shutil
import tempfile
from pathlib import Path

# These are read when numpy and numba are first imported. BLAS threads that spin on a busy machine are slower
# than none, and a kernel cached before its helper changed in another file would be the wrong kernel: a session has
# kernels of its own, unless whoever starts it says where they are. Workers and processes of tests share them.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["MPLBACKEND"] = "Agg"
KERNELS = os.environ["NUMBA_CACHE_DIR"] = os.environ.get("NUMBA_CACHE_DIR") or tempfile.mkdtemp(
    prefix=f"statnn-kernels-{os.getpid()}-"
)

import hypothesis
import pytest

from statnn.testing.plugin import setting

hypothesis.settings.register_profile("default", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000, print_blob=True)
hypothesis.settings.load_profile("default")


def pytest_report_header(config):
    profile = hypothesis.settings.get_current_profile_name()
    return f"seed: {setting(config, 'seed')}; hypothesis profile: {profile}"


def pytest_unconfigure():
    if Path(KERNELS).name.startswith(f"statnn-kernels-{os.getpid()}-"):  # those of who started this process stay
        shutil.rmtree(KERNELS, ignore_errors=True)


@pytest.fixture(scope="session")
def root_seed(statnn_seed):
    return statnn_seed


@pytest.fixture
def rng(statnn_rng):
    return statnn_rng

"""What all tests of a session share: a seed, one core, fresh kernels."""

import os
import shutil
import tempfile

# These are read when numpy and numba are first imported. BLAS threads that spin on a busy machine are slower
# than none, and a kernel cached before its helper changed in another file would be the wrong kernel.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["MPLBACKEND"] = "Agg"
KERNELS = os.environ["NUMBA_CACHE_DIR"] = (  # workers of pytest-xdist share those of the session that started them
    os.environ["NUMBA_CACHE_DIR"] if "PYTEST_XDIST_WORKER" in os.environ else tempfile.mkdtemp(prefix="statnn-kernels-")
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
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(KERNELS, ignore_errors=True)


@pytest.fixture(scope="session")
def root_seed(statnn_seed):
    return statnn_seed


@pytest.fixture
def rng(statnn_rng):
    return statnn_rng

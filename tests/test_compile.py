"""Kernels without a compiler, and kernels whose cache is damaged."""

import importlib.util
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from statnn import Network, _compile, rg
from statnn._by_value import same
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.measure import basins, spikes
from statnn.montecarlo import Blocks, HeatBath, Metropolis, MultiSpin, Tempering, sample

ROOT = Path(__file__).parents[1]


def everything():
    """Return what small work of every kind gives."""
    lattice, torus = square_lattice(4, 4, temperature=2.3), square_lattice(16, 32, temperature=2.3)
    layers = BinaryNeurons([np.full((2, 3), 0.1), np.full((2, 2), 0.1)])
    net = Network.random([3, 4, 2], activation="tanh", rng=0)
    x = np.random.default_rng(0).normal(size=(40, 3))
    neurons = DynamicNeurons(net, inputs=x[:1], targets=[[0.0, 0.0]], beta=1.0)
    walks = [
        *((lattice, kind(layout)) for kind in (HeatBath, Metropolis) for layout in ("replicas", "colours")),
        *((lattice, method) for method in ("wolff", Tempering((2.3, 3.0)), MultiSpin("replicas"))),
        *((layers, Blocks(layout)) for layout in ("single", "replicas")),
        (torus, MultiSpin("strips")),
        (neurons, "hamiltonian"),
    ]
    return {
        **{f"{method}": sample(model, 2, chains=2, method=method, rng=1).draws for model, method in walks},
        "paths": [
            process.simulate([1, 5], 2, rng=1, counts=True, method=method).counts
            for process in (BetaBernoulli(20, 0.3, 5.0), GammaPoisson(20, 0.3, 5.0), PolyaUrn(20, 0.3))
            for method in ("exact", "stepwise")
        ],
        "exact": square_lattice(3, 3).exact().correlation,
        "transfer": square_lattice(3, 3).exact("transfer").correlation,
        "flow": rg.sample_flow(square_lattice(8, 8, temperature=2.3), (8, 8), 4, chains=8, levels=1, rng=1).sums.first,
        "basins": basins.sample_basin(net, x, draws=4, steps=1, rng=1).radius,
        "spikes": spikes.statistics(x, window=5).fano_factor,
    }


def test_kernels_that_are_not_compiled_give_the_same_digits(tmp_path):
    """They do so without a warning, which is an error in that process."""
    script = (
        "import pickle, sys; from test_compile import everything; pickle.dump(everything(), open(sys.argv[1], 'wb'))"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", script, str(tmp_path / "found")]
    subprocess.run(command, check=True, env=environment, timeout=250)  # noqa: S603 - our own
    uncompiled, expected = pickle.loads((tmp_path / "found").read_bytes()), everything()  # noqa: S301 - our own
    assert [name for name in expected if not same(uncompiled[name], expected[name])] == []


@pytest.fixture
def compiled(tmp_path):
    """Return a function that loads the same kernel as a new process would."""
    path = tmp_path / "kernels_of_a_test.py"
    kernels = [f"@kernel\ndef {name}(x):\n    return {k} * x\n" for name, k in (("twice", 2), ("thrice", 3))]
    path.write_text("\n\n".join(["from statnn._compile import kernel\n", *kernels]))

    def load(name="twice"):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, name)

    return load


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", [b"", b"\x80\x05junk"])
def test_a_damaged_cache_is_made_anew_and_said(compiled, caplog, suffix, damage):
    first = compiled()
    assert first(3) == 6
    (file,) = (path for path in Path(first._cache.cache_path).iterdir() if path.suffix == suffix)
    whole = file.read_bytes()
    file.write_bytes(damage)
    with caplog.at_level(logging.WARNING, "statnn"):
        assert compiled()(3) == 6
    assert "twice" in caplog.text
    assert "is damaged and made anew" in caplog.text
    assert len(file.read_bytes()) > len(whole) // 2
    caplog.clear()
    again = compiled()
    assert again(3) == 6
    assert not caplog.text
    assert sum(again.stats.cache_hits.values()) == 1


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_machine_code_with_another_bit_is_not_run(compiled, caplog, place):
    """It can still be unpickled, and would be run."""
    first = compiled()
    assert first(3) == 6
    (file,) = Path(first._cache.cache_path).glob("*.nbc")
    raw = bytearray(file.read_bytes())
    raw[int(place * len(raw))] ^= 1
    file.write_bytes(raw)
    with caplog.at_level(logging.WARNING, "statnn"):
        assert compiled()(3) == 6
    assert "is damaged and made anew" in caplog.text


def test_machine_code_of_another_kernel_is_not_run(compiled, caplog):
    first, other = compiled(), compiled("thrice")
    assert (first(3), other(3)) == (6, 9)
    folder = Path(first._cache.cache_path)
    (mine,), (others,) = folder.glob("*twice*.nbc"), folder.glob("*thrice*.nbc")
    mine.write_bytes(others.read_bytes())
    with caplog.at_level(logging.WARNING, "statnn"):
        assert compiled()(3) == 6
    assert "is damaged and made anew" in caplog.text


def test_kernels_that_were_kept_without_a_digest_are_made_anew_in_silence(compiled, caplog, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(_compile, "_seal", lambda _: None)
        assert compiled()(3) == 6
    for hits in (0, 1):
        again = compiled()
        assert again(3) == 6
        assert sum(again.stats.cache_hits.values()) == hits
    assert not caplog.text


def test_a_cache_that_cannot_be_written_is_done_without(compiled, caplog):
    first = compiled()
    first(3)
    (index,) = (path for path in Path(first._cache.cache_path).iterdir() if path.suffix == ".nbi")
    index.unlink()
    index.mkdir()
    with caplog.at_level(logging.WARNING, "statnn"):
        assert compiled()(3) == 6
    assert "cannot be kept" in caplog.text

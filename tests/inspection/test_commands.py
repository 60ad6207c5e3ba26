"""Commands in any terminal, on files of any name."""

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clouds import written

from statnn import _streams, inspection
from statnn.__main__ import BAD_INPUT, DONE, main
from statnn.inspection._files import put
from statnn.io import describe
from statnn.theory import __main__ as theory_command


@pytest.fixture
def files(tmp_path):
    return written(tmp_path)


def test_files_whose_names_are_no_letters_are_inspected(files, monkeypatch):
    """Names, and the command that a page keeps, may hold bytes of Latin-1, which are no UTF-8."""
    for name, end in (("net", "safetensors"), ("data", "npz")):
        (files / f"{name}.{end}").rename(files / os.fsdecode(b"%b \xe9.%b" % (name.encode(), end.encode())))
    net, data = (str(next(files.glob(f"{name}*"))) for name in ("net", "data"))
    words = ["inspect", net, "--data", data, "--only", "layers", "--out", str(files / "page"), "--quiet"]
    monkeypatch.setattr(sys, "argv", ["statnn", *words])
    assert main(words) == DONE
    assert r"net \udce9.safetensors" in (files / "page" / "index.html").read_text(encoding="utf-8")
    assert r"data \udce9.npz" in describe(files / "page")["data"]
    assert r"net \udce9.safetensors" in describe(files / "page")["command"]
    shutil.copy(net, files / os.fsdecode(b"net \xe8.safetensors"))
    both = [net, str(files / os.fsdecode(b"net \xe8.safetensors"))]
    assert main(["inspect", *both, "--data", data, "--only", "layers", "--out", str(files / "two"), "--quiet"]) == DONE


@pytest.fixture
def asked(monkeypatch):
    """Return the arguments that the command passes to `inspect`, which does no work here."""
    given = {}

    class Page:
        def write(self, folder):
            given["out"] = str(folder)

    def inspect(network, data, **options):
        given.clear()
        given.update(options, network=network, data=data)
        return Page()

    monkeypatch.setattr(inspection, "inspect", inspect)
    monkeypatch.setattr(inspection, "read_data", lambda *names, **how: (*names, how))
    return given


def test_every_option_reaches_its_argument(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = (
        "--labels l.npy --out page --activation tanh relu --layers a b --split train --scale 0.5 --samples 7 "
        "--threshold 0.25 --window 3 --basins 5 --draws 6 --only layers spikes --seed 9 --quiet"
    )
    assert main(["inspect", "net.npz", "--data", "d.npz", *options.split()]) == DONE
    assert asked == {
        "network": "net.npz", "data": ("d.npz", "l.npy", {"split": "train", "scale": 0.5}), "out": "page",
        "activation": ["tanh", "relu"], "layers": ["a", "b"], "threshold": 0.25, "window": 3, "samples": 7, "basins": 5,
        "draws": 6, "only": ["layers", "spikes"], "rng": 9, "progress": None,
    }  # fmt: skip


def test_what_is_left_out_has_its_default(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["inspect", "net.npz", "--data", "d.npz", "--activation", "tanh", "--quiet"]) == DONE
    assert asked == {
        "network": "net.npz", "data": ("d.npz", None, {"split": "test", "scale": None}), "out": "net-inspection",
        "activation": "tanh", "layers": None, "threshold": None, "window": None, "samples": 10_000, "basins": 200,
        "draws": 32, "only": None, "rng": 0, "progress": None,
    }  # fmt: skip
    for paths, names in (
        (["a/one.npz", "b/two.npz"], ["one", "two"]),
        (["a/one.npz", "b/one.npz", "two.npz"], ["a/one.npz", "b/one.npz", "two.npz"]),  # two short names would be one
    ):
        assert main(["inspect", *paths, "--data", "d.npz", "--quiet"]) == DONE
        assert (asked["network"], asked["out"]) == (dict(zip(names, paths, strict=True)), "comparison")


@pytest.mark.parametrize(
    ("given", "missing"),
    [([], "pass --activation, one name"), (["--activation", "tanh"], "say it with --layers, the names")],
)
def test_arguments_that_are_missing_are_called_by_their_options(given, missing, tmp_path, capsys):
    np.savez(tmp_path / "net.npz", **{"second.weight": np.ones((2, 3)), "first.weight": np.ones((3, 4))})
    np.save(tmp_path / "x.npy", np.eye(4))
    asked = ["inspect", str(tmp_path / "net.npz"), "--data", str(tmp_path / "x.npy"), *given]
    assert main(asked) == BAD_INPUT
    assert missing in capsys.readouterr().err


def test_an_empty_name_is_no_folder_of_a_page():
    with pytest.raises(ValueError, match="is an empty name"):
        put("", lambda _: None)


@pytest.mark.parametrize("module", ["statnn describe net.safetensors", "statnn.theory survival", "validation --list"])
def test_commands_write_to_any_terminal_and_to_readers_that_leave(module, files):
    """A reader that leaves, as `head` does, or a terminal without σ is neither bad input nor a failed derivation."""
    command = [sys.executable, "-m", *module.split()]
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(root)}
    environment.pop("PYTHONUTF8", None)
    ran = subprocess.run(command, cwd=files, capture_output=True, check=False, env=environment)  # noqa: S603 - our own words
    assert ran.returncode == DONE, ran.stderr
    assert ran.stdout.isascii()
    left, right = os.pipe()
    os.close(left)
    with os.fdopen(right, "wb") as broken:
        ran = subprocess.run(command, cwd=files, stdout=broken, stderr=subprocess.PIPE, check=False, env=environment)  # noqa: S603
    assert ran.returncode == -signal.SIGPIPE
    assert b"Error" not in ran.stderr
    closed = subprocess.run(  # noqa: S603 - our own words
        ["/bin/sh", "-c", shlex.join(command) + " >&- 2>&-"], cwd=files, check=False, env=environment
    )
    assert closed.returncode == DONE


def test_no_worker_is_left_where_readers_leave():
    """The signal that ends the command ends its workers, too."""
    left, right = os.pipe()
    os.close(left)
    command = [sys.executable, "-m", "statnn.theory", "survival", "urn"]
    with os.fdopen(right, "wb") as broken:
        ran = subprocess.Popen(command, stdout=broken, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    assert ran.wait() == -signal.SIGPIPE
    with pytest.raises(ProcessLookupError):
        os.killpg(ran.pid, 0)


@pytest.mark.parametrize("module", [_streams, theory_command], ids=["statnn", "statnn.theory"])
def test_streams_of_notebooks_are_left_as_they_are(module, monkeypatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.StringIO())
    written = sys.stdout
    module.settle_streams()
    assert sys.stdout is written

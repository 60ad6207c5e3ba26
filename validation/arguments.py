"""The command line: valid requests, and one clear line of error on each invalid one."""

import argparse
import difflib
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import numpy as np

from validation.claim import ROOT_SEED, Claim


@dataclass(frozen=True)
class Options:
    """A valid request: ids in the order of the registry, an existing directory, readable data."""

    ids: tuple[str, ...]
    listing: bool
    quick: bool
    out: Path
    jobs: int
    seed: int
    data: str | None
    cache: Path | None
    executor: str = "processes"
    resume: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def parse(argv: list[str] | None, claims: Mapping[str, Claim]) -> Options:
    """Read and check the command line; ends the process with status 2 before anything is written."""
    purpose = "Hold the claims of the theory against simulation and real networks."
    parser = _Parser("python -m validation", description=purpose, allow_abbrev=False)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="minutes, lower power (default)")
    mode.add_argument("--full", action="store_true", help="the better part of an hour, full power")
    parser.add_argument("--list", action="store_true", help="show the claims and end")
    parser.add_argument("--only", nargs="+", action="extend", metavar="ID", help="run these claims (default: all)")
    default = "default: %(default)s"
    parser.add_argument("--out", type=Path, default=Path("validation-report"), metavar="DIR", help=default)
    parser.add_argument("--jobs", type=at_least(1), default=usable_cpus(), metavar="N", help=default)
    where = "processes (default), dask://HOST:PORT, or mpi, under mpiexec -n N python -m mpi4py.futures -m validation"
    parser.add_argument("--executor", type=_executor, default="processes", metavar="WHERE", help=where)
    parser.add_argument("--seed", type=at_least(0), default=ROOT_SEED, metavar="S", help=default)
    parser.add_argument("--data", metavar="NPZ", help="x_train, y_train, x_test, y_test, as in mnist.npz")
    parser.add_argument("--resume", action="store_true", help="go on with a killed run, in the same --out")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="trained weights (default: $STATNN_CACHE or your own)"
    )
    given = parser.parse_args(argv)
    try:
        ids = _ids(given.only, claims, has_data=given.data is not None)
        if given.data is not None:
            _check_data(given.data)
        if not given.list:
            _check_directory(given.out, "--out")
            if given.cache is not None:
                _check_directory(given.cache, "--cache")
    except ValueError as problem:
        parser.error(str(problem))
    return Options(
        ids, listing=given.list, quick=not given.full, out=given.out, jobs=given.jobs, seed=given.seed, data=given.data,
        cache=given.cache, executor=given.executor, resume=given.resume,
    )  # fmt: skip


def at_least(least: int) -> Callable[[str], int]:
    """Return the reader of an argument that is a whole number of at least `least`."""

    def whole(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"must be a whole number >= {least}, got {text!r}")
        return value

    return whole


def _executor(text: str) -> str:
    if text == "processes":
        return text
    if text != "mpi" and not re.fullmatch(r"dask://[^/:]+:\d+", text):
        raise argparse.ArgumentTypeError(f"must be processes, dask://HOST:PORT or mpi, got {text!r}")
    needed, extra = ("mpi4py", "mpi") if text == "mpi" else ("distributed", "dask")
    if find_spec(needed) is None:
        raise argparse.ArgumentTypeError(f"{text} needs the extra {extra}: pip install 'statnn[{extra}]'")
    return text


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def claims_of(parser: argparse.ArgumentParser, registry: str, only: list[str] | None) -> Mapping[str, Claim]:
    """Return the claims of a registry; end the process if one that is asked for is not among them."""
    claims: Mapping[str, Claim] = import_module(registry).CLAIMS
    if unknown := [name for name in only or () if name not in claims]:
        parser.error(f"no claims {', '.join(unknown)}; python -m validation --list shows all")
    return claims


def _ids(only: list[str] | None, claims: Mapping[str, Claim], *, has_data: bool) -> tuple[str, ...]:
    for name in only or ():
        if name not in claims:
            close = difflib.get_close_matches(name, claims, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(close)}?" if close else "--list shows all"
            raise ValueError(f"no claim {name!r}; {hint}")
        if lacking := claims[name].lacks(data=has_data):
            raise ValueError(f"claim {name!r} {lacking}")
    return tuple(name for name in claims if only is None or name in only)


def _check_data(path: str) -> None:
    try:
        # np.load leaves a broken file open if it opened the file itself
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    except KeyError as missing:
        raise ValueError(f"--data {path}: {missing.args[0]}; needed: x_train, y_train, x_test, y_test") from None
    except (
        OSError,
        ValueError,
        EOFError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as problem:
        # numpy takes every unknown file for a pickle, and says how to load that unsafely
        why = "it is of another kind, or holds Python objects" if "pickle" in str(problem) else problem
        raise ValueError(f"--data {path} is not a readable npz file: {why}") from None
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.ndim != 3 or y.shape != x.shape[:1] or not x.size or x.shape[1:] != arrays["x_train"].shape[1:]:
            shapes = f"{x.shape} and {y.shape}, not (samples, rows, columns) and (samples,)"
            raise ValueError(f"--data {path}: x_{part} and y_{part} have shapes {shapes}")
        if x.dtype.kind not in "uif" or y.dtype.kind not in "ui":
            types = f"{x.dtype} and {y.dtype}, not numbers and whole numbers"
            raise ValueError(f"--data {path}: x_{part} and y_{part} are {types}")


def _check_directory(out: Path, option: str) -> None:
    existing = next(parent for parent in (out, *out.absolute().parents) if parent.exists())
    if not existing.is_dir():
        raise ValueError(f"{option} {out}: {existing} is not a directory")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ValueError(f"{option} {out} cannot be written: {problem.strerror}") from None

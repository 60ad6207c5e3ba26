"""The command line: ``python -m statnn inspect NETWORK --data FILE``, ``python -m statnn describe PATH``.

Exit codes: 0 when the page was written, 2 when the command is wrong, or the network or the data cannot be read or do
not fit, 130 when it was interrupted. Numbers go to standard output, progress and one-line errors to standard error;
when their reader has gone, as behind ``| head``, the signal of a broken pipe ends the command.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from statnn import __version__
from statnn._archive.words import line_of
from statnn._streams import end_with_readers, settle_streams

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130
_ARGUMENT = re.compile(r"\b(activation|layers|labels)=(\[\.\.\.\])?")
"""Arguments that messages of functions name; the command has options for them."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="python -m statnn", description="Statistical physics of neural networks.")
    result.add_argument("--version", action="version", version=f"statnn {__version__}")
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    page = commands.add_parser(
        "inspect",
        help="one page of numbers and figures for a trained network, or for several side by side",
        description="Write one page of numbers and figures for a network and its data, or for several networks.",
    )
    page.add_argument(
        "network", metavar="NETWORK", nargs="+", help="network: .npz, .safetensors or .onnx; several are compared"
    )
    page.add_argument("--data", required=True, metavar="FILE", help=".npz with x and y (or as mnist.npz), or .npy")
    page.add_argument("--labels", metavar="FILE", help="labels: .npy, .npz with y, or the name of an array of the data")
    page.add_argument(
        "--out", metavar="DIR", help="where to write; default: NETWORK without suffix, -inspection, or comparison"
    )
    page.add_argument(
        "--activation", nargs="+", metavar="NAME", help="for bare arrays: one for all layers, or one each"
    )
    page.add_argument("--layers", nargs="+", metavar="NAME", help="for bare arrays: dense layers in the order they act")
    page.add_argument("--split", choices=("test", "train"), default="test", help="samples of a file with both")
    page.add_argument("--scale", type=float, metavar="FACTOR", help="multiplies the samples; default: bytes by 1/255")
    page.add_argument("--samples", type=int, default=10_000, metavar="N", help="most samples (default: %(default)s)")
    page.add_argument(
        "--threshold", type=float, metavar="H", help="above it a unit is active; default: 0, sigmoid 0.5, softplus 0.69"
    )
    page.add_argument("--window", type=int, metavar="T", help="samples per window of spikes; default: at most 100")
    page.add_argument("--basins", type=int, default=200, metavar="N", help="samples with basins (default: %(default)s)")
    page.add_argument("--draws", type=int, default=32, metavar="N", help="directions of noise (default: %(default)s)")
    page.add_argument("--only", nargs="+", metavar="QUESTION", help="names of sections; default: all")
    page.add_argument("--seed", type=int, default=0, help="root of all random numbers (default: %(default)s)")
    page.add_argument("--quiet", action="store_true", help="no progress and no numbers, the page only")
    description = commands.add_parser(
        "describe",
        help="where a result, a store, a figure or a page comes from",
        description="Print what a file of this package is, and the command, versions and data that it comes from.",
    )
    description.add_argument("path", metavar="PATH", help="a file or folder that this package has written")
    return result


def _describe(given: argparse.Namespace) -> int:
    from statnn.io import describe

    for line in _rows(describe(given.path)):
        sys.stdout.write(f"{line}\n")
    return DONE


def _rows(entries: Any, indent: str = "") -> Iterator[str]:
    """Yield a line for every entry; entries of inner mappings are indented below their name."""
    width = max(map(len, entries), default=0)
    for name, value in entries.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{name}"
            yield from _rows(value, f"{indent}  ")
        else:
            words = value if isinstance(value, str) else json.dumps(value)
            yield f"{indent}{name:<{width}}  {words}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = parser().parse_args(arguments)
    try:
        return _describe(given) if given.command == "describe" else _inspect(given)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was written\n")
        return INTERRUPTED
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        sys.stderr.write(f"error: {_line(error)}\n")
        return BAD_INPUT


def _line(error: Exception) -> str:
    """Return the message of an error in one line, without the number of an operating-system error."""
    if isinstance(error, OSError) and error.strerror is not None:
        return f"{error.strerror}: {str(error.filename)!r}" if error.filename is not None else error.strerror
    return _ARGUMENT.sub(r"--\1", " ".join(str(error).split()))


def _inspect(given: argparse.Namespace) -> int:
    from statnn._random import root
    from statnn.inspection import inspect, read_data

    for option, names in (("network", given.network), ("data", [given.data]), ("out", [given.out])):
        if "" in names:
            raise ValueError(f"{option} is an empty name; give a {'directory' if option == 'out' else 'file'}")
    for network in given.network:
        if Path(network).is_dir():
            raise IsADirectoryError(f"network: {network!r} is a directory; give a file, .npz, .safetensors or .onnx")
    root(given.seed, "--seed")
    several = len(given.network) > 1
    out = Path(given.out or ("comparison" if several else f"{Path(given.network[0]).stem}-inspection"))
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"--out {str(out)!r} is a file; give a directory")
    if not out.absolute().parent.is_dir():
        raise FileNotFoundError(f"directory {str(out.absolute().parent)!r} does not exist; make it first")
    place = out if out.exists() else out.absolute().parent
    try:
        Path(tempfile.mkdtemp(dir=place, prefix=".")).rmdir()  # permission bits alone do not tell
    except OSError as error:
        raise PermissionError(
            f"directory {str(place)!r} cannot be written to ({error.strerror}); choose another with --out"
        ) from None
    activation = given.activation
    progress = None if given.quiet else ProgressReport(sys.stderr)
    page = inspect(
        _by_name(given.network) if several else given.network[0],
        read_data(given.data, given.labels, split=given.split, scale=given.scale),
        activation=activation[0] if activation and len(activation) == 1 else activation,
        layers=given.layers,
        threshold=given.threshold,
        window=given.window,
        samples=given.samples,
        basins=given.basins,
        draws=given.draws,
        only=given.only,
        rng=given.seed,
        progress=progress,
    )
    page.write(out)
    if not given.quiet:
        sys.stdout.write(f"{page}\n\n{out / 'index.html'}\n")
    return DONE


def _by_name(paths: Sequence[str]) -> dict[str, str]:
    """Return files keyed by their names without suffix, or by their paths if two names are the same."""
    if len(set(paths)) < len(paths):
        raise ValueError(f"network {max(paths, key=paths.count)!r} is given twice; give different ones")
    stems = [Path(path).stem for path in paths]
    return dict(zip(map(line_of, stems if len(set(stems)) == len(stems) else paths), paths, strict=True))


class ProgressReport:
    """Report progress: on a terminal in one line that is overwritten, elsewhere one line per question."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._watched = stream, stream.isatty()
        self._name, self._begin = "", 0.0

    def __call__(self, name: str, done: int, total: int) -> None:
        """Report how much of a question is done."""
        if name != self._name:
            self._name, self._begin = name, time.monotonic()
            if not self._watched:
                self._stream.write(f"{name} ...\n")
        if self._watched:
            seconds = time.monotonic() - self._begin
            self._stream.write(f"\r\x1b[K{name} {done / total:4.0%}, {seconds:.1f} s")
            if done == total == 1:
                self._stream.write("\r\x1b[K")
        self._stream.flush()


if __name__ == "__main__":
    settle_streams()
    end_with_readers()
    sys.exit(main())

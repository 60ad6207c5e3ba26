"""Check derivations and print them: ``python -m statnn.theory [NAME ...]``; exit status 1 when one fails.

They are checked in as many processes as there are usable processors, and printed as plain text; ``--document`` writes a
LaTeX document instead.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from statnn.theory.browse import derivation, derivations
from statnn.theory.document import document
from statnn.theory.kinds import KINDS, Kind, tally
from statnn.theory.step import Enclosure


class Checked(NamedTuple):
    """Result of the check of a derivation."""

    name: str
    text: str
    kinds: dict[Kind, int]
    failure: str
    enclosures: dict[int, Enclosure]


def usable_cpus() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plural(number: int) -> str:
    """Return a number of derivations in words."""
    return f"{number} derivation{'s' * (number != 1)}"


def checked(name: str, thorough: bool) -> Checked:
    """Check one derivation and return its text, and what failed if anything did."""
    each, failure = derivation(name), ""
    try:
        each.check(thorough=thorough)
    except AssertionError as error:
        failure = str(error)
    enclosures = {
        number: step.enclosure for number, step in enumerate(each.steps, 1) if thorough and step.kind == "inequality"
    }
    return Checked(name, str(each), each.kinds(), failure, enclosures)


def enclosed(enclosures: dict[int, Enclosure]) -> str:
    """Return which inequalities interval arithmetic proves, and which are only evaluated at points and corners."""
    steps = ", ".join(f"{number} ({what})" for number, what in enclosures.items())
    return f"by intervals, on all of their range: {steps}\n" if enclosures else ""


def all_checked(names: list[str], *, thorough: bool) -> Iterator[Checked]:
    """Check derivations, one on each processor, and yield them in their order."""
    processes = min(len(names), usable_cpus())
    if processes == 1:
        yield from map(checked, names, repeat(thorough))
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(checked, names, repeat(thorough))


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Return the parsed arguments of the command, or exit with a message."""
    parser = argparse.ArgumentParser("python -m statnn.theory", description="Check derivations and print them.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="derivations (default: all; --list names them)")
    parser.add_argument("--list", action="store_true", help="print names, titles, standings and sources, and leave")
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="take limits and series exactly, evaluate at more points, and prove inequalities by intervals",
    )
    parser.add_argument("--document", metavar="FILE.tex", type=Path, help="write a LaTeX document for pdflatex")
    asked = parser.parse_args(arguments)
    for name in asked.names:
        try:
            derivation(name)
        except KeyError as unknown:
            parser.error(unknown.args[0])
    file = asked.document
    if file and (file.suffix != ".tex" or not file.parent.is_dir() or file.is_dir()):
        parser.error(f"--document {file}: a file with a name that ends in .tex, in a folder that exists")
    return asked


def main(arguments: list[str]) -> int:
    """Check and print the named derivations, or all if none is named."""
    asked = parsed(arguments)
    names = asked.names or list(derivations())
    if asked.list:
        for row in derivations().rows():
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
        return 0
    sys.stderr.write(f"checking {plural(len(names))}\n")
    kinds: Counter[Kind] = Counter()
    proved: Counter[Enclosure] = Counter()
    failures = 0
    for number, report in enumerate(all_checked(names, thorough=asked.thorough), 1):
        sys.stderr.write(f"{number}/{len(names)} {report.name}: {report.failure or 'holds'}\n")
        kinds.update(report.kinds)
        proved.update(report.enclosures.values())
        failures += bool(report.failure)
        if not asked.document:
            sys.stdout.write(f"{report.text}\n{enclosed(report.enclosures)}\n\n")
            sys.stdout.flush()
    sys.stdout.write("\n".join([f"{kind:10} {kinds[kind]:4}  {meaning}" for kind, meaning in KINDS.items()]))
    sys.stdout.write(f"\nIn {plural(len(names))}, {tally(kinds)}\n")
    if asked.thorough:
        sys.stdout.write(
            f"Of {proved.total()} inequalities intervals prove {proved['as printed']} as printed and "
            f"{proved['its form']} by their positive form, on all of their range, 1/1000 to 30 where it has no end; "
            f"{proved['neither']} are evaluated at points and corners alone\n"
        )
    if failures:
        sys.stderr.write(f"{failures} of {plural(len(names))} do not hold; no document is written of them\n")
    elif asked.document:
        write_whole(asked.document.resolve(), document(map(derivation, names)))
    return int(failures > 0)


def write_whole(path: Path, text: str) -> None:
    """Write a file completely, or leave the old one unchanged."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:  # it names the temporary file, or none
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        beside.unlink(missing_ok=True)


def settle_streams() -> None:
    """Let the command write to any terminal, or to none."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - till the end
        if hasattr(stream, "reconfigure"):  # notebooks have streams of their own
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


if __name__ == "__main__":
    settle_streams()
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # a reader such as `head` may stop: exit normally once the workers have ended
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
    except OSError as error:  # a full disk, for example
        sys.stderr.write(f"error: {error}\n")
        status = 2
    sys.exit(status)

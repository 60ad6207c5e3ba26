"""Damage valid files in every way and read them: the result is the original, a right object, or one clear error.

``python tests/faults/fuzz.py [--seconds S] [--rng SEED]`` from the root of the repository. Networks (npz, safetensors,
ONNX, torch), results and runs, stores that are resumed, data, records of validation and everything that
`statnn.io.describe` reads. No crash, no hang, no load that takes seconds or much memory, no other error, no warning; a
file with a digest never gives another object, and a refused store is left as it was. Exit status 1 where anything did
not hold; each such file is kept.
"""

import argparse
import multiprocessing
import resource
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from functools import cache
from json import JSONDecodeError
from pathlib import Path
from time import monotonic, process_time

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[k]) for k in (1, 2)] + [str(Path(__file__).parents[1] / "support")]

from faults.files import cases  # noqa: E402 - found only now

from statnn._by_value import same  # noqa: E402

SECONDS, BYTES = 5.0, 300 * 2**20
"""Limits for reading a small file, of processor time and of memory."""
LONGEST = 2000
"""Limit of the length of a message, in characters."""


def fault(error, folder, files):
    """Return what is wrong with an error, empty where it is clear."""
    text = str(error).replace(str(folder), "FOLDER")
    if isinstance(error, MemoryError) and "would need" in text:
        return ""
    if not isinstance(error, ValueError | OSError) or isinstance(error, UnicodeError | JSONDecodeError):
        return f"{type(error).__name__}: {text}"
    if not any(name in str(error) for name in (str(folder), *files)):
        return f"does not name the file: {text}"
    if len(text) > LONGEST or not text.isprintable():
        return f"is no line that can be shown: {type(error).__name__}: {text[:LONGEST]!r}"
    return ""


def read(case, folder, expected):
    """Return the outcome of reading a case, and what is wrong with it, empty where nothing is."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            loaded = case.load(folder)
        except Exception as error:  # noqa: BLE001 - `fault` judges which it is
            changed = [name for name, raw in before.items() if (folder / name).read_bytes() != raw]
            return "refused", fault(error, folder, before) or (f"refused and changed: {changed}" if changed else "")
    if same(loaded, expected):
        return "equal", ""
    if case.sealed:
        return "another", "another object"
    return "another", "" if case.valid(folder, loaded) else "a wrong object"


@cache
def expectations():
    """Return what the valid files give; read before any is damaged."""
    results = {}
    for name, case in cases().items():
        with tempfile.TemporaryDirectory() as folder:
            put(case.files, Path(folder))
            results[name] = None if case.closed else case.load(Path(folder))
    return results


def put(files, folder):
    for name, raw in files.items():
        (folder / name).write_bytes(raw)


def attempt(name, seed, number, folder):
    """Damage a case and read it; return mutation, outcome and fault."""
    expected = expectations()[name]
    case = cases()[name]
    others = [raw for origin in cases().values() for raw in origin.files.values()]
    kind, files = case.mutated(np.random.default_rng([seed, number]), others)
    put(files, folder)
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, process_time()
    outcome, wrong = read(case, folder, expected)
    took, grown = process_time() - began, 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory)
    if not wrong and took > SECONDS:
        wrong = f"took {took:.1f} s"
    if not wrong and grown > BYTES:
        wrong = f"took {grown / 1e6:.0f} MB"
    put(files, folder)  # kept as they were read
    return kind, outcome, wrong


# -- the command -----------------------------------------------------------------------------------------


def name_of(number):
    """Return the case of a number."""
    names = sorted(cases())
    return names[number % len(names)]


def work(pipe, seed, number, kept):
    """Damage and read files from this number on; send the number before each, and with its outcome after it."""
    expectations()
    used = 2**10 * int(Path("/proc/self/statm").read_text().split()[0]) * 4
    resource.setrlimit(resource.RLIMIT_AS, (used + 4 * BYTES, -1))
    while True:
        folder = Path(kept, f"{number}")
        folder.mkdir()
        pipe.send((number, None))
        report = attempt(name_of(number), seed, number, folder)
        if not report[2]:
            shutil.rmtree(folder)
        pipe.send((number, report))
        number += 1


def outcomes(seed, seconds, kept):
    """Yield number, mutation, outcome and fault; a process that ends or hangs is a fault, and a new one goes on."""
    context = multiprocessing.get_context("spawn")
    number, end = 0, None
    while end is None or monotonic() < end:
        pipe, far = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(far, seed, number, kept), daemon=True)
        process.start()
        far.close()
        reading = None
        while end is None or monotonic() < end:
            if not pipe.poll(180 if reading is None else 20 * SECONDS):
                yield number, "", "hung", "did not come back"
                break
            try:
                number, report = pipe.recv()
            except EOFError:
                process.join()
                yield number, "", "crashed", f"the process ended with {process.exitcode}"
                break
            end = end or monotonic() + seconds
            reading = report is None
            if report is not None:
                yield number, *report
        process.kill()
        process.join()
        number += 1


def main():
    """Read damaged files for a while, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="default: %(default)s")
    parser.add_argument("--rng", type=int, default=1, metavar="SEED", help="default: %(default)s")
    given = parser.parse_args()
    kept = tempfile.mkdtemp(prefix="fuzz-")
    counts, faults = Counter(), []
    for number, kind, outcome, wrong in outcomes(given.rng, given.seconds, kept):
        counts[name_of(number), outcome] += 1
        if wrong:
            faults.append(name_of(number))
            sys.stdout.write(f"{kept}/{number}: {name_of(number)}, {kind}: {wrong}\n")
            sys.stdout.flush()
    words = ("equal", "another", "refused")
    sys.stdout.write(f"{'':<36}{'tried':>9}" + "".join(f"{word:>9}" for word in words) + f"{'faults':>9}\n")
    for name in sorted(cases()):
        tried = sum(count for (case, _), count in counts.items() if case == name)
        cells = [tried, *(counts[name, word] for word in words), faults.count(name)]
        sys.stdout.write(f"{name:<36}" + "".join(f"{cell:>9}" for cell in cells) + "\n")
    sys.stdout.write(f"{sum(counts.values())} files, {len(faults)} faults\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Kill, starve and crowd runs, and say what held.

``python tests/faults/inject.py [--kills N] [--seed S] [--only WORK ...]`` from the root of the repository. Two hundred
kills at random moments by default, of every kind of work that is kept, by SIGKILL and SIGTERM; a full disk and a
read-only one, where file systems may be mounted; two processes on one store; a store that is damaged anywhere. Exit
status 1 where anything did not hold.
"""

import argparse
import errno
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL, SIGTERM

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[k]) for k in (1, 2)]

from faults.cases import run  # noqa: E402 - found only now
from faults.kills import kill_until_done  # noqa: E402
from faults.works import WORKS  # noqa: E402

from statnn._archive.store import StoreError  # noqa: E402


def killed(name, how, kills, rng):
    """Return a row on kills of one kind of work."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_until_done(name, folder, rng, kills=kills, how=how)
    held = outcome.equal and not outcome.failures and not outcome.left and outcome.later > 0 and outcome.kills >= kills
    words = (
        f"{outcome.kills} kills: {outcome.unopened} before the store, {outcome.unwritten} before the first entry, "
        f"{outcome.later} after it"
    )
    for wrong in (
        "" if outcome.equal else "another result",
        f"{outcome.failures} failures" * (outcome.failures > 0),
        *outcome.left,
    ):
        words += f"; {wrong}" if wrong else ""
    return f"{how.name} of {name}", words, held


def do(method, folder):
    """Do a run with a store in a folder."""
    WORKS[f"sample, {method}"].do(Path(folder), kept=True)


def result_of(method, folder):
    """Return the run that lies in a folder."""
    return WORKS[f"sample, {method}"].result(Path(folder))


@contextmanager
def mounted(*options):
    """Yield the folder of a small new file system, or None where none may be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603
            ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder],  # noqa: S607
            capture_output=True, check=False,
        )  # fmt: skip
        try:
            yield None if done.returncode else Path(folder)
        finally:
            if done.returncode == 0:
                subprocess.run(["umount", folder], check=True)  # noqa: S603, S607


def full_disk():
    """Return a row on a disk that fills up in the middle, and is emptied again."""
    with mounted("size=400k") as folder:
        if folder is None:
            return "full disk", "no file system may be mounted here", None
        hit = 0
        for left in range(0, 120_000, 8_192):
            space = os.statvfs(folder)
            ballast = folder / "ballast"
            ballast.write_bytes(bytes(max(0, space.f_bavail * space.f_frsize - left)))
            try:
                do("heat bath", folder)
                break
            except OSError as error:
                hit += error.errno == errno.ENOSPC
            finally:
                ballast.unlink()
        do("heat bath", folder)  # there is room again
        return (
            "full disk",
            f"said {hit} times, then gone on",
            hit > 0 and result_of("heat bath", folder) == run("heat bath"),
        )


def read_only():
    """Return a row on a place that cannot be written to."""
    with mounted("ro") as folder:
        if folder is None:
            return "read-only disk", "no file system may be mounted here", None
        try:
            run("heat bath", store=folder / "work")
        except OSError as error:
            return "read-only disk", str(error.strerror), not list(folder.iterdir())
        return "read-only disk", "not noticed", False


def _attempt(folder, queue):
    try:
        do("hamiltonian", folder)
        queue.put("done")
    except StoreError as error:
        queue.put(str(error))


def two_at_once():
    """Return a row on two processes that begin together on one store."""
    context = get_context("spawn")
    queue = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        both = [context.Process(target=_attempt, args=(folder, queue)) for _ in range(2)]
        for process in both:
            process.start()
        words = sorted(queue.get() for _ in both)
        for process in both:
            process.join()
        equal = result_of("hamiltonian", folder) == run("hamiltonian")
    refused = sum("in use" in word for word in words)
    return "two at once", f"{refused} refused", equal and words.count("done") + refused == len(words)


def damaged(rng, times=60):
    """Return a row on stores with a changed bit or a cut file: refused, or of no consequence."""
    expected, refused, held = run("wolff"), 0, True
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            run("wolff", store=f"{folder}/work")
            path = rng.choice(sorted(Path(folder, "work").glob("*.*")))
            data = bytearray(path.read_bytes())
            place = int(rng.integers(len(data)))
            data[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(data[:place] if rng.random() < 0.3 else data)
            try:
                held &= run("wolff", store=f"{folder}/work") == expected
            except StoreError:
                refused += 1
    return "damaged stores", f"{times} damaged, {refused} refused, the others without consequence", held


def main():
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the moments; default: fresh")
    parser.add_argument("--only", nargs="+", choices=WORKS, metavar="WORK", help=f"of {'; '.join(WORKS)}; default: all")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    names = given.only or list(WORKS)
    share = max(2, -(-given.kills // (2 * len(names))))
    rows = [partial(killed, name, how, share, rng) for name in names for how in (SIGKILL, SIGTERM)]
    rows += [full_disk, read_only, two_at_once, partial(damaged, rng)]
    failed = 0
    for row in rows:
        name, what, held = row()
        failed += held is False
        words = {True: "held", False: "DID NOT HOLD", None: "not tried"}[None if held is None else bool(held)]
        sys.stdout.write(f"{name:<36}{what:<82}{words}\n")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

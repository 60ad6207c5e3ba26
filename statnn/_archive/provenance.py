"""Where a file comes from: what was run, with which versions, on what processor, from which commit, and when."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("statnn", "numpy", "scipy", "numba")


def provenance(command: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the command and the time, and everything that is fixed while the process runs.

    Examples
    --------
    >>> sorted(provenance())
    ['blas', 'command', 'commit', 'processor', 'system', 'time', 'versions']
    """
    words = sys.argv if command is None else list(command)
    return {
        "command": shlex.join(words).encode(errors="backslashreplace").decode(),  # names of files may not be text
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **surroundings(),
    }


@cache
def surroundings() -> dict[str, Any]:
    """Return versions, commit, system, processor and BLAS of this process."""
    return {
        "versions": {"python": platform.python_version(), **versions(PACKAGES)},
        "commit": _commit(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "blas": _blas(),
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of packages by name."""
    return {package: version(package) for package in packages}


def version(package: str = "statnn") -> str:
    """Return the version of an installed package; this one, too, must be installed to have a version."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str | None:
    """Return the commit of the tree that this package runs from, with a plus where files differ from it."""
    tree = Path(__file__).parents[2]
    if not (tree / ".git").exists():
        return None

    def git(*words: str) -> str:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(tree), *words],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _blas() -> str:
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    library = config.get("Build Dependencies", {}).get("blas", {})
    return f"{library.get('name', 'unknown')} {library.get('version', '')}".strip()

"""Print constraints for pip: the oldest dependencies that pyproject.toml supports, with the oldest Python.

python3.11 -m venv old && python tests/oldest.py > old/oldest.txt
old/bin/python -m pip install -c old/oldest.txt -e ".[test]" && old/bin/python -m pytest
"""

import re
import sys
import tomllib
from pathlib import Path

YOUNGER = {"pyparsing": "<3.3"}
"""Dependencies of matplotlib whose newer versions make its oldest one warn."""


def oldest() -> dict[str, str]:
    """Return the lowest version of every dependency of the package and of its tests."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(each for name in extras if name not in {"docs", "peers"} for each in extras[name]),
    ]
    lowest = (re.match(r"([\w-]+)>=([\d.]+)", each) for each in wanted)
    return YOUNGER | {match[1]: f"=={match[2]}{'.0' * ('.' not in match[2])}.*" for match in lowest if match}


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}{version}\n" for name, version in sorted(oldest().items()))

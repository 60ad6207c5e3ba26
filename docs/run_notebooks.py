"""Run the code of notebook pages as a user would: ``python docs/run_notebooks.py PAGE.md ...``, without Jupyter.

Each page has a process and a namespace of its own. The last expression of a cell is shown as a notebook shows it.
A cell tagged ``raises-exception`` must raise, and not for a slip such as an unknown name; no other cell may raise.
"""

import ast
import io
import os
import re
import subprocess
import sys
import time
import traceback
import types
from pathlib import Path
from typing import Any

CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
TAGS = re.compile(r"^:tags: *\[(.*)\] *$", re.MULTILINE)
SHOWN = ("_repr_html_", "_repr_latex_", "_repr_svg_")
SLIPS = (ImportError, NameError, SyntaxError, SystemExit)  # mistakes of the page itself, not those that it demonstrates


def cells(page: Path) -> list[tuple[int, str, bool]]:
    """Return the line, the code and whether it must raise, of each cell of a page."""
    text = page.read_text(encoding="utf-8")
    opened = len(re.findall(r"^`{3,}\s*\{code-cell\}", text, re.MULTILINE))
    matches = list(CELL.finditer(text))
    if not matches or len(matches) != opened:
        raise ValueError(
            f"{page}: {opened} cells begin and {len(matches)} end; each needs three backticks before and after"
        )
    return [(text.count("\n", 0, match.start()) + 1, *_code(match[1])) for match in matches]


def _code(body: str) -> tuple[str, bool]:
    options = re.match(r"(?::[^\n]*\n)*", body)[0]
    tags = TAGS.search(options)
    # options leave empty lines, so that tracebacks count lines as the page does
    return "\n" * options.count("\n") + body[len(options) :], bool(tags and "raises-exception" in tags[1])


def run_cell(code: str, file: str, line: int, names: dict[str, Any]) -> None:
    """Execute a cell that begins below a line of a file, and show its last expression."""
    tree = ast.parse("\n" * line + code, file)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, file, "exec"), names)  # noqa: S102 - that is what a notebook is
    if last is not None:
        show(eval(compile(ast.Expression(last.value), file, "eval"), names))  # noqa: S307


def show(value: Any) -> None:
    """Draw or typeset a value where it can be, as a notebook does, and print it where it cannot."""
    typeset = [each() for name in SHOWN if (each := getattr(value, name, None))]
    if hasattr(value, "savefig"):
        value.savefig(io.BytesIO())
    elif value is not None and not any(typeset):
        print(repr(value))


def run(page: Path) -> bool:
    """Run one page in this process; report the first cell that does not behave as stated."""
    begin, listed = time.perf_counter(), cells(page)
    # classes of a page are pickled by name, like those of a notebook
    sys.modules["__main__"] = notebook = types.ModuleType("__main__")
    for line, code, must_raise in listed:
        try:
            run_cell(code, str(page), line, vars(notebook))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - any error of a page
            if not must_raise or isinstance(error, SLIPS):
                traceback.print_exc()
                print(f"{page}:{line}: the cell raises", file=sys.stderr)
                return False
            print("".join(traceback.format_exception_only(error)).rstrip())
        else:
            if must_raise:
                print(f"{page}:{line}: the cell is tagged raises-exception and does not raise", file=sys.stderr)
                return False
    print(f"{page.name}: {len(listed)} cells ran in {time.perf_counter() - begin:.0f} s")
    return True


def main(pages: list[str]) -> int:
    """Run each page, in a process of its own where there are several."""
    if not pages:
        print(__doc__, file=sys.stderr)
        return 2
    if len(pages) == 1:
        return 0 if run(Path(pages[0])) else 1
    ended = [subprocess.run([sys.executable, __file__, page], check=False).returncode for page in pages]  # noqa: S603
    return int(any(ended))


if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "agg"
    sys.exit(main(sys.argv[1:]))

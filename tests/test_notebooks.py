"""The script that runs the pages under docs/ fails where a page is not as it says."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "docs" / "run_notebooks.py"
PAGE = """# A page

```{code-cell} python
x = 1
x
```

Text

```{code-cell} python
:tags: [raises-exception]
%s
```
"""


def run(folder, *texts):
    pages = [folder / f"page{i}.md" for i in range(len(texts))]
    for page, text in zip(pages, texts, strict=True):
        page.write_text(text)
    command = [sys.executable, SCRIPT, *pages]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603


def test_cells_share_names_and_show_what_stands_last(tmp_path):
    done = run(tmp_path, PAGE % "x / 0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1\nZeroDivisionError: division by zero\npage0.md: 2 cells ran")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PAGE.replace("x = 1", "x = y") % "x / 0", 'page0.md", line 4, in <module>'),
        (PAGE.replace("x = 1", "x = = 1") % "x / 0", 'page0.md", line 4\n'),
        (PAGE % "y / 0", "NameError: name 'y' is not defined"),
        (PAGE % "raise SystemExit", "page0.md:10: the cell raises"),
        (PAGE % "x / 1", "page0.md:10: the cell is tagged raises-exception and does not raise"),
        (PAGE % "x / 0" + "```{code-cell} python\nx / 0\n", "3 cells begin and 2 end"),
        ("# No cells\n", "0 cells begin and 0 end"),
    ],
)
def test_a_page_that_is_not_as_it_says_fails(text, said, tmp_path):
    done = run(tmp_path, text)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_page_whose_process_is_killed_fails(tmp_path):
    killed = "```{code-cell} python\nimport os\nos.kill(os.getpid(), 9)\n```\n"
    assert run(tmp_path, killed, PAGE % "x / 0").returncode == 1


def test_one_page_of_several_fails_and_the_others_run_without_its_names(tmp_path):
    done = run(tmp_path, PAGE % "x / 1", "```{code-cell} python\nassert 'x' not in globals()\n```\n")
    assert done.returncode == 1
    assert "page1.md: 1 cells ran" in done.stdout

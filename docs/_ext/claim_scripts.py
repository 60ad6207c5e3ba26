"""A script for the figure of every claim, which the gallery runs and shows like its own.

They are written to ``docs/generated/claims/``, a folder for each room. A claim whose data or package is missing is not
run; its script is shown all the same.
"""

import inspect
import re
import shutil
from pathlib import Path
from typing import Any

from statnn.theory.prose import pieces
from validation.claims import CLAIMS

HERE = Path(__file__).parents[1]
FOLDER = HERE / "generated" / "claims"
ROOMS = {
    "activation": "Activation processes",
    "interaction": "Interacting neurons and their samplers",
    "rg": "Renormalisation and random layers",
    "measure": "Measures and their nulls",
}
HEADER = """Figures of claims
=================

Every claim draws its figure from its own arrays alone. Each script runs the claim as `python -m validation` does, in
the quick mode, judges it and draws it; it needs a clone of the repository, at the root of which it is run. Verdicts of
a full run: :doc:`/generated/verdicts`.
"""
SCRIPT = '''r"""
{title}
{ruler}

{statement} Source: *{source}*.
"""

from matplotlib import pyplot as plt

from statnn import plot
from validation.claims import CLAIMS

claim = CLAIMS["{name}"]
data = claim.data({arguments})
print(claim.judge(data))
with plot.style():
    claim.draw(data, plt.figure())

# %%
# {missing}
#
# .. rst-class:: caption
#
# {caption}
#
# Full verdict: :ref:`claim-{name}`. `run`, `judge`, `draw` and what they call:
#
# .. raw:: html
#
#    <details><summary><code>{module}</code></summary>
#
# .. literalinclude:: /../{module}
#
# .. raw:: html
#
#    </details>
'''


def _marked(text: str) -> str:
    return re.sub(r"([\\*_`|])", r"\\\1", text)


def _sentence(text: str) -> str:
    """Return a sentence as reStructuredText, its mathematics set."""
    return "".join(rf"\ :math:`{tex}`\ " if tex else _marked(words) for words, tex in pieces(text)).strip("\\ ")


def _caption(text: str) -> str:
    """Return a caption, whose mathematics stands between dollars."""
    parts = text.split("$")
    parts[::2] = map(_marked, parts[::2])
    parts[1::2] = [rf"\ :math:`{tex}`\ " for tex in parts[1::2]]
    return re.sub(r"^\(", r"\\(", "".join(parts).strip("\\ "))  # "(a) ..." would be the first item of a list


def _missing(claim: Any) -> str:
    """Return why the gallery has not run a claim, or nothing if it has."""
    lacks = (
        "MNIST as ``mnist.npz``, see :doc:`/how-to/validate`" if claim.needs_data else _marked(claim.lacks(data=True))
    )
    return lacks and f"Not run for this page: needs {lacks.removeprefix('needs ')}."


def room(claim: Any) -> str:
    """Return the room of a claim."""
    return str(claim.run.__module__).split(".")[2]


def file(claim: Any) -> Path:
    """Return the file of a claim's script; the gallery runs files that begin with plot_."""
    runs = "" if claim.lacks(data=False) else "plot_"
    return FOLDER / room(claim) / f"{runs}{claim.id.replace('-', '_')}.py"


def script(claim: Any) -> str:
    """Return the script of a claim."""
    return SCRIPT.format(
        title=claim.title,
        ruler="=" * len(claim.title),
        statement=_sentence(claim.statement),
        source=_marked(claim.source),
        name=claim.id,
        arguments='path="mnist.npz"' if claim.needs_data else "",
        missing=_missing(claim),
        caption=_caption(claim.caption or claim.statement).replace("\n", " "),
        module=Path(inspect.getfile(claim.run)).relative_to(HERE.parent).as_posix(),
    )


def page(claim: Any) -> str:
    """Return the document that the gallery makes of a claim's script."""
    return "/claim-pages/" + file(claim).relative_to(FOLDER).with_suffix("").as_posix()


def write_scripts(_app: Any) -> None:
    """Write the scripts; an unchanged one is left alone, so that it is not run again."""
    texts = {FOLDER / "GALLERY_HEADER.rst": HEADER}
    texts |= {FOLDER / room / "GALLERY_HEADER.rst": f"{title}\n{'-' * len(title)}\n" for room, title in ROOMS.items()}
    texts |= {file(claim): script(claim) for claim in CLAIMS.values()}
    for old in {*FOLDER.rglob("*.*")} - {*texts}:
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx, before the gallery looks for scripts."""
    app.connect("builder-inited", write_scripts, priority=5)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

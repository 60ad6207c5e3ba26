"""The site: ``python -m sphinx -W docs site`` builds it, without network, and runs the code of every page."""

import gc
import hashlib
import os
import sys
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
gc.set_threshold(50_000)  # pages are many objects but little garbage: searching them took a tenth of a build
sys.path.insert(0, str(HERE / "_ext"))
sys.path.append(str(HERE.parent))  # for `validation`, which is not installed
os.environ["IPYTHONDIR"] = str(HERE / "generated" / "ipython")  # for the kernels that run pages: `brief_errors`

PACKAGE = Path(find_spec("statnn").origin).parent
SOURCES = sorted({*PACKAGE.rglob("*.py"), *(PACKAGE / "theory").rglob("*.py")})

project, author, copyright = "statnn", "The statnn developers", "The statnn developers"  # noqa: A001 - Sphinx's name
release = version = installed("statnn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "myst_nb",
    "claim_scripts",
    "generated_pages",
    "bibliography",
    "repairs",
]
exclude_patterns = [
    "gallery-pages/*.[ipj]*",
    "claim-pages/**.[ipj]*",
    "generated/claims",
    "_build",
    "jupyter_execute",
    "**/GALLERY_HEADER.rst",
    "gallery",
]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
# keyed by the package too: a cache that knows only the text of pages would show what another version gave
nb_execution_cache_path = str(
    HERE.parent / ".jupyter_cache" / hashlib.sha256(b"".join(map(Path.read_bytes, SOURCES))).hexdigest()[:16]
)
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

sphinx_gallery_conf = {
    "examples_dirs": ["gallery", "generated/claims"],
    "gallery_dirs": ["gallery-pages", "claim-pages"],
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "default_thumb_file": str(HERE / "_static" / "not-run.svg"),  # for claims that need data
    "show_signature": False,
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 3600,  # seconds; shorter times are left out, as they differ from build to build
    "download_all_examples": False,
    "write_computation_times": False,
}

autodoc_typehints = "none"  # docstrings state shapes and ranges, which types cannot
autodoc_member_order = "groupwise"
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_preprocess_types = False
default_role = "code"
nitpicky = True  # every name that is a link leads to its page

html_theme = "furo"
html_title = "statnn"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["statnn.css"]
html_js_files = [("statnn.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "footer_icons": [],
    "light_css_variables": {"font-stack": "system-ui, sans-serif", "font-stack--monospace": "ui-monospace, monospace"},
}
# "lexer": cells have no language where notebooks are not executed, -D nb_execution_mode=off
suppress_warnings = ["config.cache", "ref.python", "myst-nb.lexer"]
mathjax_path = "mathjax/tex-svg.js"

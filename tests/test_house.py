"""The rules of the house: who may import whom, what is public, how long a module may be."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from functools import cached_property
from importlib import metadata
from pathlib import Path

import networkx as nx
import pytest
from without_formula import WITHOUT

import statnn
from statnn import theory
from statnn.montecarlo import METHODS

ROOT = Path(statnn.__file__).parents[1]
THEORY = sorted((ROOT / "theory").rglob("*.py"))
MODULES = sorted(set((ROOT / "statnn").rglob("*.py")) - set((ROOT / "statnn" / "theory").rglob("*.py")))
PUBLIC = {
    "statnn": [
        "Network", "activation", "inspection", "interaction", "io", "measure", "montecarlo", "network", "plot", "rg",
        "sweep", "testing", "theory",
    ],
    "statnn.activation": [
        "BetaBernoulli", "Comparison", "Fit", "GammaPoisson", "Paths", "PolyaUrn", "Rarefaction", "checkpoints",
        "compare", "fit", "fit_errors", "rarefaction",
    ],
    "statnn.interaction": [
        "BinaryNeurons", "DynamicNeurons", "Exact", "ExactGaussian", "Prior", "SquareLattice", "State",
        "TranslationSymmetry", "kaufman", "onsager", "square_lattice", "translation_symmetry",
    ],
    "statnn.montecarlo": [
        "METHODS", "Estimate", "Failure", "IncompleteRun", "Method", "Run", "UntrustedEstimate", "Walkers", "estimate",
        "sample", "stream",
    ],
    "statnn.inspection": [
        "QUESTIONS", "Comparison", "Data", "Inspection", "Measured", "Section", "Table", "inspect", "read_data",
    ],
    "statnn.io": ["describe", "load", "load_network", "save", "save_network", "table"],
    "statnn.measure": ["basins", "correlation", "graph", "growth", "order", "spikes", "tangent"],
    "statnn.measure.graph": ["Strength", "layer_fluctuation", "node_strength", "strength"],
    "statnn.measure.growth": ["Growth", "from_active_samples", "layer", "layers"],
    "statnn.measure.spikes": [
        "Accumulator", "FitTest", "Intervals", "SpikeStatistics", "blocked_fano_factor", "from_window_counts",
        "independent_fano_factor", "shuffled_fano_factor", "statistics",
    ],
    "statnn.measure.basins": ["Basin", "sample_basin", "weight_basin"],
    "statnn.measure.correlation": ["Correlation", "Participation", "neuronal_correlation", "participation_ratio"],
    "statnn.measure.order": [
        "PairOrder", "RankProbability", "group_order", "l_map", "l_map_accuracy", "pooled_ranks", "rank_probability",
        "unit_order",
    ],
    "statnn.measure.tangent": ["TangentKernel", "tangent_kernel"],
    "statnn.rg": [
        "BinaryLayer", "Collapse", "CriticalCoupling", "Criticality", "CriticalityKind", "Decay", "DecayEnd",
        "Exponents", "FiniteWidth", "FixedFunction", "FixedPoint", "FixedPointEnd", "Flow", "FlowEnd", "Gaussian",
        "LayerPlace", "LeadingForm", "LeadingFormKind", "LinearLayer", "LinearisedFlow", "MeanField",
        "NoCriticalLineError", "NoFixedPointError", "NoisyLayer", "Operator", "Phase", "PhaseDiagram", "Placement",
        "RandomLayer", "RandomStack", "Regime", "RenormalisedLayer", "RepeatedLayer", "ScalingField",
        "ScalingFieldKind", "Signals", "Spectrum", "StationaryLaw", "TransferMatrix", "TransferOperator", "Transition",
        "TransitionKind", "Truncation", "VarianceEnd", "block_means", "block_spins", "collapse", "critical_coupling",
        "critical_line", "criticality", "decimate", "exponents", "fixed_points", "flow", "linearise", "operators",
        "phase_diagram", "place", "renormalise", "sample_flow", "transition",
    ],
    "statnn.rg.lattice": [
        "CriticalCoupling", "LinearisedFlow", "Operator", "block_means", "block_spins", "critical_coupling", "decimate",
        "linearise", "operators", "sample_flow",
    ],
    "statnn.rg.repeated": [
        "FixedFunction", "LeadingForm", "LeadingFormKind", "RenormalisedLayer", "RepeatedLayer", "ScalingField",
        "ScalingFieldKind", "renormalise",
    ],
    "statnn.rg.wide": [
        "Criticality", "CriticalityKind", "Decay", "DecayEnd", "FiniteWidth", "LayerPlace", "MeanField",
        "NoCriticalLineError", "Phase", "PhaseDiagram", "Placement", "RandomLayer", "RandomStack", "Signals",
        "Transition", "TransitionKind", "VarianceEnd", "critical_line", "criticality", "phase_diagram", "place",
        "transition",
    ],
    "statnn.testing": [
        "BrokenLawError", "Comparison", "Deviation", "Law", "LawReport", "Ledger", "Outcome", "Power",
        "Refusal", "StatisticalFailure", "assert_comparison", "assert_counts", "assert_covariance",
        "assert_law", "assert_mean", "assert_means", "assert_proportion", "assert_pvalue", "assert_slope",
        "assert_uniform", "budget", "check_activation", "check_layer", "check_method", "check_model", "check_process",
        "power", "rejects", "statistics", "strategies",
    ],
    "statnn.testing.statistics": [
        "Comparison", "Line", "Refusal", "Sensitivity", "bonferroni", "counts", "covariance", "law", "line",
        "mean", "mean_under", "mean_vector", "power_law", "proportion", "sensitivity", "total", "uniform",
        "worst", "z_score",
    ],
    "statnn.testing.strategies": [
        "activations", "activities", "activity", "batch_norms", "binary_neurons", "constants", "counts", "couplings",
        "decades", "dynamic_neurons", "graphs", "layers", "log_uniform", "networks", "neurons", "parameters",
        "processes", "samples", "signed", "smooth_activations", "whole_samples",
    ],
    "statnn.theory": [
        "KINDS", "Comparison", "Derivation", "Formula", "Step", "argued", "compare", "definition", "derivation",
        "derivations", "equation", "formula", "formulas", "identity", "inequality", "instance", "limit", "series",
    ],
    "statnn.network": ["ACTIVATIONS", "Activation", "BatchNorm", "Network", "Trace", "leaky_relu"],
    "statnn.plot": ["COLOURS", "figure", "replacing", "save", "style"],
}  # fmt: skip
SAMPLERS = [method.__name__ for method in METHODS.values()]  # written down in one place, and read off it everywhere


def constants_first(names):
    return sorted(names, key=lambda name: (not name.isupper(), name))


PUBLIC["statnn.montecarlo"] = constants_first(PUBLIC["statnn.montecarlo"] + SAMPLERS)
ROOMS = tuple(PUBLIC)
each_room = pytest.mark.parametrize("name_of_room", ROOMS)
FLOORS = {
    "plot": 0, "activation": 1, "network": 1, "interaction": 1, "io": 1, "montecarlo": 2, "rg": 3, "measure": 3,
    "testing": 3, "inspection": 4, "__main__": 4,
}  # fmt: skip
MOST_LINES = 500
EMPTY = {"found", "one", "told", "teller", "photograph"}
LAZY = ("matplotlib", "mpmath", "networkx", "numba", "pandas", "scipy", "sklearn", "sympy", "tqdm")


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(source):
    """Return the names that code imports at run time, wherever in it."""
    pending, names = [source], set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names.update({module}, {f"{module}.{alias.name}" for alias in node.names})
        pending.extend(node.orelse if is_type_checking(node) else ast.iter_child_nodes(node))
    return names


def floor(module):
    """Return the floor of a module: ground 0, objects 1, walks 2, questions 3, pages 4; the package opens all rooms."""
    _, *rooms = module.split(".")
    if not rooms or (rooms[0].startswith("_") and rooms[0] not in FLOORS):
        return 0
    return FLOORS[rooms[0]]


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "theory":  # installed inside the package
        parts = ("statnn", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def packages(names):
    return {name.split(".")[0] for name in names}


# -- floors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_the_package_stands_alone(path):
    imported = imports(tree(path))
    assert not packages(imported) & {"theory", "validation", "tests", "sympy", "sklearn", ""}
    assert not inside(imported, "statnn.theory")


def inside(names, room="statnn"):
    return {name for name in names if name == room or name.startswith(f"{room}.")}


@pytest.mark.parametrize("path", THEORY, ids=module_name)
def test_the_theory_knows_nothing_of_the_package(path):
    imported = imports(tree(path))
    assert not packages(imported) & {"theory", "validation", "numba", "scipy", "tests"}
    assert not inside(imported) - inside(imported, "statnn.theory") - {"statnn"}


@pytest.mark.parametrize("path", [path for path in MODULES if module_name(path) != "statnn"], ids=module_name)
def test_lower_floors_do_not_look_up(path):
    """Neither when they run nor for annotations; the package itself opens all rooms."""
    name = module_name(path)
    for imported in files_imported(path, {module_name(other) for other in MODULES}):
        assert floor(imported) <= floor(name), f"{name} imports {imported}"


@pytest.mark.parametrize("path", [path for path in MODULES if "rg" in path.parts], ids=module_name)
def test_renormalisation_walks_on_the_engine_of_sample(path):
    """It also walks on what is public; stores and the one thread of BLAS are those of `sample` as well."""
    engine = {f"statnn.montecarlo.{name}" for name in ("_engine", "_checkpoint", "_blas")}
    imported = {name for name in imports(tree(path)) if name.startswith("statnn.montecarlo._")}
    assert {".".join(name.split(".")[:3]) for name in imported} <= engine


def files_imported(path, known):
    """Return the modules that a file names in any import, also those for annotations and those inside functions."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= whole & known or {node.module}
    return names & known - {module_name(path)}


def circles(imported):
    graph = nx.DiGraph([(name, other) for name, others in imported.items() for other in others])
    return [sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1]


@pytest.mark.parametrize("folder", ["statnn", "theory", "validation"])
def test_no_files_import_each_other_in_a_circle(folder):
    paths = {"statnn": MODULES, "theory": THEORY, "validation": sorted((ROOT / "validation").rglob("*.py"))}[folder]
    known = {module_name(path) for path in paths} - {"statnn"}  # which opens all rooms when they are entered
    assert not circles({module_name(path): files_imported(path, known) for path in paths})
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_the_rule_would_see_a_breach():
    breach = ast.parse("def f():\n    from statnn.rg import flow\n    import statnn.theory.activation")
    assert {"statnn.rg", "statnn.theory.activation"} <= imports(breach)
    assert floor("statnn.rg") > floor("statnn.activation._inference.fit") > floor("statnn.plot")
    allowed = ast.parse("if TYPE_CHECKING:\n    import theory\nelse:\n    import numpy")
    assert imports(allowed) == {"numpy"}
    assert "" in packages(imports(ast.parse("from . import x")))


# -- what is public --------------------------------------------------------------------------------------


@each_room
def test_names_are_the_contract(name_of_room):
    module = importlib.import_module(name_of_room)
    assert constants_first(module.__all__) == PUBLIC[name_of_room] == constants_first(PUBLIC[name_of_room])
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert module.__doc__
    shown = {name for name in dir(module) if name[0].isalpha()}  # what completion offers
    assert shown <= {*module.__all__, *(info.name for info in pkgutil.iter_modules(getattr(module, "__path__", [])))}


def test_every_module_can_be_imported_and_says_what_it_is():
    names = [info.name for info in pkgutil.walk_packages(statnn.__path__, "statnn.")]
    assert sorted([*names, "statnn"]) == sorted(module_name(path) for path in [*MODULES, *THEORY])
    for name in set(names) - {"statnn.theory.__main__"}:
        assert importlib.import_module(name).__doc__, name


def public_members(cls):
    for name, member in inspect.getmembers(cls):
        if not name.startswith("_") and (callable(member) or isinstance(member, property)):
            yield name, member


@each_room
def test_everything_public_is_documented(name_of_room):
    room = importlib.import_module(name_of_room)
    bare = []
    for name in room.__all__:
        thing = getattr(room, name)
        if not callable(thing):
            continue  # rooms and tables of constants
        if not inspect.getdoc(thing) or inspect.getdoc(thing).startswith(f"{name}("):
            bare.append(name)  # a dataclass without docstring shows its signature
        if inspect.isclass(thing):
            bare += [f"{name}.{method}" for method, member in public_members(thing) if not inspect.getdoc(member)]
    assert not bare


@each_room
def test_public_verbs_document_what_they_take(name_of_room):
    """A docstring of a public function or method with a section on parameters names all of them."""
    room = importlib.import_module(name_of_room)
    forgotten = []
    for name in room.__all__:
        thing = getattr(room, name)
        members = dict(public_members(thing)) if inspect.isclass(thing) else {name: thing}
        for verb, function in members.items():
            text = inspect.getdoc(function) or ""
            if not inspect.isroutine(function) or "Parameters\n----------" not in text:
                continue
            forgotten += [
                f"{name}.{verb}({parameter})"
                for parameter in inspect.signature(function).parameters
                if parameter not in {"self", "cls"} and parameter not in text
            ]
    assert not forgotten


def test_unknown_names_are_answered_with_those_there_are():
    with pytest.raises(AttributeError, match="statnn has no 'activations'; it has Network, activation, inspection"):
        statnn.activations  # noqa: B018
    assert set(PUBLIC["statnn"]) <= set(dir(statnn))


# -- formulas --------------------------------------------------------------------------------------------

ROOMS_OF_RESULTS = ("activation", "interaction", "measure", "montecarlo", "rg")


def found_by_name(path):
    """Return the object that a public name stands for."""
    parts = path.split(".")
    for last in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:last]))
        except ModuleNotFoundError:
            continue
        for part in parts[last:]:
            thing = inspect.getattr_static(thing, part) if inspect.isclass(thing) else getattr(thing, part)
        return thing
    raise AssertionError(f"{path} does not exist")


def own_members(cls):
    """Yield methods and properties that a class has from the package, not from Python, as they are stored."""
    for name in dir(cls):
        owner = next((base for base in cls.__mro__ if name in vars(base)), object)
        stored = inspect.getattr_static(cls, name)
        computed = inspect.isroutine(stored) or isinstance(stored, (property, cached_property))
        if computed and not name.startswith("_") and owner.__module__.startswith("statnn."):
            yield name, stored


def public_computations():
    """Return the shortest name of every public computation in the rooms that hold results, by what is stored."""
    computations = {}
    for room in sorted(ROOMS, key=lambda room: (room.count("."), ROOMS.index(room))):
        if "." in room and room.split(".")[1] in ROOMS_OF_RESULTS:
            module = importlib.import_module(room)
            for name in module.__all__:
                thing, path = getattr(module, name), f"{room.removeprefix('statnn.')}.{name}"
                if inspect.isclass(thing) and thing.__module__.startswith("statnn."):
                    for member, stored in own_members(thing):
                        computations.setdefault(stored, f"{path}.{member}")
                elif inspect.isroutine(thing):
                    computations.setdefault(thing, path)
    return computations


def test_every_public_computation_has_a_formula_or_a_reason_why_it_has_none():
    """A new one has an entry in `theory/ROOM/formulas.py`, or stands with a reason in `support/without_formula.py`."""
    formulated = {found_by_name(formula.implementation) for formula in theory.formulas().values()}
    names = {name for stored, name in public_computations().items() if stored not in formulated}
    without = [name for names in WITHOUT.values() for name in names.split()]
    assert len(set(without)) == len(without)
    samplers = [f"montecarlo.{name}.*" for name in SAMPLERS]  # samplers organise work
    listed = [*without, *samplers]
    assert not {name for name in names if not any(fnmatch(name, other) for other in listed)}, "in neither list"
    assert not {other for other in without if not any(fnmatch(name, other) for name in names)}, (
        "not public, or formulas"
    )


# -- packaging -------------------------------------------------------------------------------------------


def test_importing_the_package_loads_nothing_heavy():
    """In a fresh interpreter; the rooms are loaded when they are entered."""
    code = f"import sys, statnn; print(*sorted({{name.split('.')[0] for name in sys.modules}} & set({LAZY!r})))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    assert ran.stdout.split() == []
    entered = code.replace("import sys, statnn;", "import sys, statnn; statnn.activation;")
    ran = subprocess.run([sys.executable, "-c", entered], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    loaded = ran.stdout.split()
    assert {"numba", "scipy"} <= set(loaded)  # the same question does see what is loaded
    assert not {"matplotlib", "networkx", "sympy", "sklearn", "pandas"} & set(loaded)


@pytest.mark.parametrize("room", ["network", "interaction", "montecarlo", "rg"])
def test_entering_a_room_loads_neither_pictures_nor_graphs_nor_statistics(room):
    """All its names are imported, as by workers that are sent its tasks: scipy.stats takes longer than all the rest."""
    code = f"import sys; from statnn.{room} import *; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    loaded = set(ran.stdout.split())
    assert "scipy" in loaded
    heavy = {"scipy.stats", "scipy.optimize", "scipy.integrate", "scipy.interpolate"}
    assert not {"matplotlib", "networkx", "pandas", "tqdm", "sympy", "sklearn", *heavy} & loaded


def test_there_is_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert statnn.__version__ == metadata.version("statnn") == project["project"]["version"]
    assert f"\nversion: {statnn.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "tool" not in project or not {"mypy", "pytest", "coverage"} & set(project["tool"])


def test_the_package_is_typed():
    assert (ROOT / "statnn" / "py.typed").is_file()


@pytest.mark.parametrize("folder", ["statnn", "theory", "validation", "tests"])
def test_no_module_is_too_long(folder):
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert lengths
    assert not {path: length for path, length in lengths.items() if length > MOST_LINES}


def examples(module):
    """Return the syntax trees of the examples in docstrings of a module."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(module) if isinstance(node, documented)]
    lines = [doctest.DocTestParser().get_examples(text) for text in docstrings]
    return [ast.parse("".join(line.source for line in each)) for each in lines]


def vague_names(module):
    """Return names, bound in a module or its examples, that could be anything's; beside zero, one is a number."""
    nodes = [node for each in (module, *examples(module)) for node in ast.walk(each)]
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.name for node in module.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    return bound & (EMPTY - {"one"} if "zero" in bound else EMPTY)


@pytest.mark.parametrize("folder", ["statnn", "theory", "validation", "docs", "tests"])
def test_names_say_what_things_are(folder):
    assert not {str(path): names for path in (ROOT / folder).rglob("*.py") if (names := vague_names(tree(path)))}


def test_names_that_could_be_anything_would_be_seen():
    assert vague_names(ast.parse("found = [one for one in told]")) == {"found", "one"}
    assert vague_names(ast.parse("'>>> found = 2'")) == {"found"}
    assert vague_names(ast.parse("def told(): pass")) == {"told"}
    assert not vague_names(ast.parse("zero, one = 0, 1"))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_the_library_does_not_print_or_touch_global_randomness(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "input", "breakpoint"}, node.lineno
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "numpy.random"}:
            assert node.attr in {"Generator", "SFC64", "SeedSequence"}, (node.lineno, node.attr)

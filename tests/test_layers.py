"""Who may import whom; read from the source, so that an import inside a function counts too."""

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import omitrans
from omitrans.utils.discovery import all_estimators

ROOT = Path(omitrans.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A room imports rooms of earlier layers, and itself.
LAYERS = [
    {"exceptions"},
    {"utils"},
    {"annotation", "covariates", "losses", "metrics", "model_selection", "networks", "solvers"},
    {"baselines", "engine", "io", "persistence", "preprocessing"},
    {"datasets", "displays", "estimators"},
    {"inference", "pipelines", "reports", "trust"},
    {"comparison", "downstream", "generation"},
    {"cli"},
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
# Room -> rooms that its layer would allow and that it must do without.
FORBIDDEN = {
    # it receives network classes, so that a new network needs no change here
    "engine": {"networks"},
    # a model file may come from anywhere: classes are looked up by name among the public ones
    "persistence": {"networks", "losses"},
}
TORCH_ROOMS = {"networks", "losses", "solvers", "engine", "estimators"}
# Imported inside the functions that use them, through utils._optional where they are extras.
LAZY_PACKAGES = {"anndata", "celer", "h5py", "matplotlib", "mudata", "pooch", "pyarrow", "requests"}

# Without docstrings, comments and blank lines, which should never be saved on.
MAX_CODE_LINES = 250
MAX_FUNCTION_LINES = 60
MAX_CLASS_LEVELS = 2  # of our own, above an estimator


def room_of(path):
    """Return the first part of the path below the package, without suffix."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path, *, inside_functions=True):
    """Yield (line, module, names) of each import statement."""
    waiting = [parse(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield node.lineno, module, tuple(alias.name for alias in node.names)
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


def found(path, wrong, **options):
    """Return "file:line: import" of each import for which `wrong(module, names)` holds."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {module} {', '.join(names)}"
        for line, module, names in imports(path, **options)
        if wrong(module, names)
    ]


def parametrize(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


every_file = parametrize(FILES)


def test_every_room_has_a_layer():
    assert {room_of(path) for path in FILES} - {"__init__"} == set(RANK)


def test_contributors_are_shown_these_layers():
    shown = "\n".join(
        f"    {'' if rank == 0 else '<- '}{', '.join(sorted(rooms))}"
        for rank, rooms in enumerate(LAYERS)
    )
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"\n\n{shown}\n\n" in text, f"CONTRIBUTING.md should show:\n{shown}"


def test_the_map_is_true():
    """Every file and folder that the map for newcomers names exists, and every room is on it."""
    text = (ROOT.parent / "docs/developers/map.rst").read_text(encoding="utf-8")
    places = [
        path.relative_to(ROOT.parent).as_posix() for path in ROOT.parent.glob("tests/**/*.py")
    ]
    places += [
        path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.suffix != ".pyc"
    ]
    named = set(re.findall(r"``([\w/]+(?:\.py|/))``", text))
    assert {"engine/_training.py", "networks/generators/"} <= named
    lost = [
        name
        for name in named
        if not any(f"/{place}/".endswith(f"/{name.rstrip('/')}/") for place in places)
    ]
    assert not lost
    assert {room for room in RANK if f"``{room}" not in text} <= {"exceptions"}


def test_imports_are_seen():
    """The guard of this file: an import that is not seen cannot be judged."""
    modules = {module for path in FILES for _, module, _ in imports(path)}
    assert {"torch", "numpy", "omitrans.exceptions", "omitrans.estimators"} <= modules


@parametrize([path for path in FILES if path != ROOT / "__init__.py"])
def test_arrows_run_one_way(path):
    room = room_of(path)

    def wrong(module, names):
        package, _, rest = module.partition(".")
        if package != "omitrans" or not rest:
            return False
        other = rest.partition(".")[0]
        allowed = other == room or RANK[other] < RANK[room]
        return not allowed or other in FORBIDDEN.get(room, ())

    assert not found(path, wrong), f"{room} may import only layers before its own: {LAYERS}"


def file_of(module):
    """Return the file of a module of this package; None for a name that is no module."""
    path = ROOT.parent.joinpath(*module.split("."))
    found = [path.with_suffix(".py"), path / "__init__.py"]
    return next((file for file in found if file.exists()), None)


def test_no_circle_of_imports():
    """Neither between rooms nor inside one; an import for a type checker counts too."""
    graph = {}
    for path in FILES:
        named = graph[path] = set()
        for _, module, names in imports(path):
            if module.partition(".")[0] == "omitrans":
                inner = [file_of(f"{module}.{name}") for name in names]
                named.update(filter(None, inner))
                if not names or not all(inner):  # something of the module itself
                    named.add(file_of(module))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(str(path.relative_to(ROOT)) for path in error.args[1]))


def levels_above(cls):
    """Return how many classes of this package stand above `cls`, along the longest line."""
    own = [base for base in cls.__bases__ if base.__module__.startswith("omitrans.")]
    return max((1 + levels_above(base) for base in own), default=0)


@pytest.mark.parametrize("name", [name for name, _ in all_estimators()])
def test_few_levels_of_classes(name):
    assert levels_above(dict(all_estimators())[name]) <= MAX_CLASS_LEVELS


@every_file
def test_imports_name_the_module_that_defines(path):
    """Relative imports hide the layer; ``from omitrans import X`` loads it through the face."""
    assert not found(path, lambda module, names: module.startswith(".") or module == ".")
    through_the_face = {(), ("__version__",)}
    assert not found(
        path, lambda module, names: module == "omitrans" and names not in through_the_face
    )


@parametrize([path for path in FILES if room_of(path) not in TORCH_ROOMS])
def test_torch_stays_in_its_rooms(path):
    assert not found(path, lambda module, names: module.partition(".")[0] in {"torch", "skorch"})


@every_file
def test_costly_packages_are_not_imported_with_the_module(path):
    def wrong(module, names):
        return module.partition(".")[0] in LAZY_PACKAGES

    assert not found(path, wrong, inside_functions=False)


@every_file
def test_private_names_of_scikit_learn_come_through_one_file(path):
    def wrong(module, names):
        parts = [*module.split("."), *names]
        return parts[0] == "sklearn" and any(part.startswith("_") for part in parts)

    if path == ROOT / "utils" / "_sklearn.py":
        assert found(path, wrong)
    else:
        assert not found(path, wrong), "Import it from omitrans.utils._sklearn."


def code_lines(path):
    """Return how many lines of a file hold code."""
    prose = set()
    for node in ast.walk(parse(path)):
        holds = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if holds and ast.get_docstring(node, clean=False) is not None:
            prose.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    stripped = [line.strip() for number, line in lines if number not in prose]
    return sum(bool(line) and not line.startswith("#") for line in stripped)


@every_file
def test_files_are_short(path):
    assert code_lines(path) <= MAX_CODE_LINES


@every_file
def test_functions_are_short(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            n_lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert n_lines < MAX_FUNCTION_LINES, f"{path.name}: {node.name} has {n_lines} lines"

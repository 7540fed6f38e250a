"""The plan of the house: imports point one way, nobody reaches behind a door, rooms stay small."""

import ast
from pathlib import Path

import pytest

import tlkit
from tools.build.sizes import code_lines

PACKAGE = Path(tlkit.__file__).parent
IDEAS = {
    "features",
    "heads",
    "representations",
    "finetuning",
    "learning_rates",
    "distillation",
    "diagnosis",
    "explain",
    "range_test",
}
# Each storey may import what lies before it, and its own.
STOREYS = [
    {
        "errors",
        "checks",
        "findings",
        "keras_tools",
        "steps",
        "paths",
        "store",
        "progress",
        "scores",
    },
    {"plots"},
    {"data", "networks"},
    IDEAS,
    {"workshop"},
    {"course", "lessons"},
]
FRONT_DOORS = {"__init__", "__main__"}
# Where the rebuilding stands. The plan of the house says 4,800 lines of code, 1,200 of them in the
# ideas, and 300 lines in a module: none of these may grow.
LINES_OF_CODE, IN_IDEAS, LONGEST = 7790, 1450, 300
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The first part of a module's name below the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, str]]:
    """Pairs of a module of tlkit and a name that is imported from it, for use when it runs."""
    found = []
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tlkit":
            found += [(node.module, each.name) for each in node.names]
        elif isinstance(node, ast.Import):
            found += [(each.name, "") for each in node.names if each.name.startswith("tlkit")]
    return found


def storey(name: str) -> int:
    (place,) = [number for number, rooms in enumerate(STOREYS) if name in rooms]
    return place


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(path):
    # The command line is a door as well: it opens what every room has to offer.
    if room(path) in FRONT_DOORS or path.name == "command.py":
        return
    for module, name in imports(path):
        target = [*module.split("."), name][1]
        # A public name of the package itself is found behind the front door.
        if target == room(path) or target not in set().union(*STOREYS):
            continue
        assert storey(target) <= storey(room(path)), f"{path.name} imports {module}.{name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_reaches_behind_another_ones_underscore(path):
    for module, name in imports(path):
        assert not name.startswith("_") or name.startswith("__"), f"{module}.{name}"
        assert not any(part.startswith("_") for part in module.split(".")), module


def test_there_are_no_circles():
    graph = {}
    for path in MODULES:
        name = ".".join(["tlkit", *path.relative_to(PACKAGE).with_suffix("").parts])
        graph[name.removesuffix(".__init__")] = path
    edges = {
        name: {
            target
            for module, thing in imports(path)
            if (target := f"{module}.{thing}" if f"{module}.{thing}" in graph else module) in graph
            and target != name
        }
        for name, path in graph.items()
        if path.name != "__init__.py"
    }
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join([*way, name])
        if name not in done:
            for target in edges.get(name, ()):
                walk(target, (*way, name))
            done.add(name)

    for name in edges:
        walk(name, ())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_is_too_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_the_package_does_not_grow():
    sizes = {path: code_lines(path.read_text(encoding="utf-8")) for path in MODULES}
    assert sum(sizes.values()) <= LINES_OF_CODE
    assert sum(size for path, size in sizes.items() if room(path) in IDEAS) <= IN_IDEAS


@pytest.mark.parametrize("name", ["plots", "data", "networks", "workshop", "course", "lessons"])
def test_each_room_says_in_a_sentence_what_it_is(name):
    text = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text("utf-8")))
    assert text and text.splitlines()[0].endswith(".")


def test_the_public_face_has_at_most_forty_names():
    import types

    names = [n for n in tlkit.__all__ if not isinstance(getattr(tlkit, n), types.ModuleType)]
    assert len(names) <= 40, names

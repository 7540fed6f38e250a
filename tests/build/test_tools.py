"""The tools' rooms: who may call whom."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tools.build.lessons import ROOT

# Each room, and the rooms of the tools that it may import.
MAY_IMPORT = {"build": set(), "experiments": {"build"}, "places": {"build", "experiments"}}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "tools").rglob("*.py")
}


def imported(path) -> set[str]:
    """The modules of the tools that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {name for name in found if name in MODULES and name.count(".")}


GRAPH = {name: imported(path) - {name} for name, path in MODULES.items()}


def test_no_tool_imports_itself_by_way_of_others():
    try:
        list(TopologicalSorter(GRAPH).static_order())
    except CycleError as error:
        pytest.fail(f"{' imports '.join(reversed(error.args[1]))}")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_no_room_but_those_below_it(room):
    for name, found in GRAPH.items():
        if name.split(".")[1:2] == [room]:
            rooms = {one.split(".")[1] for one in found} - {room}
            assert rooms <= MAY_IMPORT[room], f"{name} imports {', '.join(sorted(found))}"


def test_every_tool_has_a_room():
    assert {path.parent.name for path in MODULES.values()} == {"tools", *MAY_IMPORT}
    assert [path.name for path in (ROOT / "tools").glob("*.py")] == ["__init__.py"]

"""Which names a module and its functions bind, and which of them are imported from where."""

from __future__ import annotations

import ast
import functools
import re

PLACE = re.compile(r"\bPath\(__file__\)(\.resolve\(\)|\.parents?\b(\[\d+\])?)*")
NAMING = ast.ExceptHandler | ast.MatchAs | ast.MatchStar
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def bound(nodes: list[ast.AST], package: str) -> dict[str, tuple | None]:
    """The names that statements bind, without looking into functions and classes.

    An imported name comes with its source: a module, and the name in it in a list of one or none.
    """
    found: dict[str, tuple | None] = {}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Import):
            for each in node.names:
                whole = each.name if each.asname else each.name.partition(".")[0]
                found[each.asname or whole] = whole, []
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) + 1 - node.level] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            found |= {each.asname or each.name: (source, [each.name]) for each in node.names}
        elif isinstance(node, FUNCTIONS | ast.ClassDef):
            found.setdefault(node.name)
        elif isinstance(node, COMPREHENSIONS):
            waiting += [each for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
        elif not isinstance(node, ast.Lambda):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.setdefault(node.id)
            elif isinstance(node, NAMING) and node.name:
                found.setdefault(node.name)
            waiting += ast.iter_child_nodes(node)
    return found


@functools.lru_cache(10_000)
def own_names(node: ast.FunctionDef | ast.Lambda, package: str) -> dict[str, str | tuple | None]:
    """The names that are a function's own: parameters, variables (None), imports with a source."""
    body = node.body if isinstance(node.body, list) else [node.body]
    scope = bound(body, package)
    for each in (each for statement in body for each in ast.walk(statement)):
        if isinstance(each, ast.Global | ast.Nonlocal):
            scope = {name: source for name, source in scope.items() if name not in each.names}
    return scope | {each.arg: each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}


@functools.lru_cache(500)
class Module:
    """The names at the top of a file: each with the statements that make it, or with its source."""

    def __init__(self, name: str, package: str, source: str):
        self.name, self.package = name, package
        tree = ast.parse(PLACE.sub("__file__", source))
        self.names: dict[str, list[ast.stmt] | tuple] = {
            each: []
            for node in ast.walk(tree)
            if isinstance(node, ast.Global)
            for each in node.names
        }
        for line in tree.body:
            value = getattr(line, "value", None)
            if isinstance(line, ast.If) and re.search(
                "__name__|TYPE_CHECKING", ast.unparse(line.test)
            ):
                continue
            found = bound([line], package)
            for each, origin in found.items():
                self.names[each] = origin or [*self.names.get(each, []), line]
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "lazy_loader.attach":
                options = {each.arg: each.value for each in value.keywords}
                for part, inside in ast.literal_eval(options["submod_attrs"]).items():
                    self.names |= {each: (f"{name}.{part}", [each]) for each in inside}
            elif not (found or name == package or isinstance(value, ast.Constant)):
                raise LookupError(
                    f"Line {line.lineno} of {name} does something on import to which no name "
                    "leads. Put it into a function."
                )

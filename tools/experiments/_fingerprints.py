"""What a stored table is computed from, wherever it stands.

From an experiment's names the code is followed, definition by definition, through the course's
packages: functions, classes, constants of modules, decorators, defaults. Names are resolved as
Python does it, past every style of import, re-exports and `lazy_loader`. What is found is written
down in the order in which it is met, each name of a definition as the number of its meeting: so
neither the module that holds it counts, nor its name, nor its place in the file.

Left out is what computes nothing: imports, docstrings, comments, annotations, names of local
variables, what is raised or told, a check that can only raise InputError, where a file lies, cards.

Parameters and attributes keep their names, for calls and tables of options use them. A method
counts once its name follows a dot, for nobody knows what stands before the dot; that name is a
number as well. Of a class that inherits all methods count, by name. What is looked up by a text is
not seen: no `globals()[name]`, no registry that decorators fill.
"""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

from tools.experiments._names import FUNCTIONS, Module, bound, own_names

Key = tuple[str, ...]  # a module and a name at its top; for a method, its class and its name
# By contract these compute nothing: whatever the first are told, and however the others work.
TELLING = {"report", "print", "warn", "InputError", "MissingFileError", "DamagedFileError"}
TELLING |= {"recipe_key"}  # the name of a file in the cache
KEEPING = {"progress", "cache_dir", "write_atomic", "read_card", "card_names", "card_text"}
FOR_PEOPLE = {"__repr__", "__str__"}
UNSEEN = {"annotation", "returns", "ctx", "kind", "name", "type_comment", "type_params"}
CLASS = "class"  # in a scope: it is a class's, which its methods do not see


def reached(root: Path, module: str, names: list[str]) -> dict[Key, str]:
    """All that names of a module lead to, in the order in which it is met.

    Args:
        root: The folder that holds the packages.
        module: Where to start, such as `"tools.experiments.label_counts"`.
        names: What to start from, such as `["run"]`.

    Returns:
        What each definition computes, as text, without anything that computes nothing.

    Raises:
        LookupError: A name leads nowhere, or cannot be followed without running the code.
    """
    walk = _Walk(root)
    for name in names:
        walk.look_up(module, [name])
    texts = walk.follow()
    numbers = {name: place for place, name in enumerate(walk.dotted)}
    methods = {key[2] for key in texts if len(key) == 3} & set(numbers)

    def number(match: re.Match) -> str:
        return f".m{numbers[match[1]]}" if match[1] in methods else f".{match[1]}"

    return {key: re.sub(r"\0(\w+)", number, text) for key, text in texts.items()}


def _last_name(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


class _Walk(ast.NodeVisitor):
    """Visiting a node gives its text; the definitions that it names are numbered and follow."""

    def __init__(self, root: Path):
        self.root, self.modules = root, {}
        self.numbers: dict[Key, int] = {}
        self.nodes: dict[Key, list[ast.stmt]] = {}
        self.methods: dict[Key, list[ast.stmt]] = {}  # those that nobody called so far
        self.dotted: dict[str, None] = {}  # names that follow a dot, as they are met

    def follow(self) -> dict[Key, str]:
        texts: dict[Key, str] = {}
        while waiting := [key for key in self.numbers if key not in texts] or self._called():
            for key in waiting:
                self.module, self.scopes, self.variables = self._module(key[0]), [], 0
                texts[key] = self._all(self.nodes[key])
        return texts

    def _called(self) -> list[Key]:
        """The methods that are called by now, in an order that no name of a class decides."""
        called = [key for key in self.methods if key[2].startswith("__") or key[2] in self.dotted]
        met = [*(key[2] for key in sorted(called) if key[2] not in self.dotted), *self.dotted]
        called.sort(key=lambda key: (self.numbers[key[:2]], met.index(key[2])))
        for key in called:
            self.numbers[key], self.nodes[key] = len(self.numbers), self.methods.pop(key)
        return called

    def _module(self, name: str) -> Module | None:
        """A module of ours; None for any other."""
        if name not in self.modules:
            place = self.root.joinpath(*name.split("."))
            files = place / "__init__.py", place.parent / f"{place.name}.py"
            file = next((file for file in files if file.is_file()), None)
            package = name if place.is_dir() else name.rpartition(".")[0]
            source = file.read_text(encoding="utf-8") if file else ""
            ours = file or place.is_dir()
            self.modules[name] = Module(name, package, source) if ours else None
        return self.modules[name]

    def look_up(self, module: str, names: list[str]) -> str:
        """What names, one after the other, lead to from a module."""
        if not self._module(module):
            return ".".join([module, *names])
        for place, name in enumerate(names):
            found, after = self._module(module).names.get(name), names[place + 1 :]
            if isinstance(found, tuple):
                return self.look_up(found[0], [*found[1], *after])
            if found is not None:
                if name in KEEPING:
                    return name
                key = module, name
                self.nodes[key] = found
                number = self.numbers.setdefault(key, len(self.numbers))
                return self._dots(f"#{number}", after)
            module = f"{module}.{name}"
            if not self._module(module):
                break
        raise LookupError(f"{module} is no definition; where it is used, name one.")

    def _named(self, name: str, after: list[str]) -> str:
        """What a name means where it stands, and the names that follow it after dots."""
        for scope in self.scopes:
            if name in scope:
                if isinstance(scope[name], tuple):
                    return self.look_up(scope[name][0], [*scope[name][1], *after])
                if scope[name] is None:
                    scope[name], self.variables = f"v{self.variables}", self.variables + 1
                return self._dots(scope[name], after)
        if name in self.module.names:
            return self.look_up(self.module.name, [name, *after])
        if hasattr(builtins, name) or name.startswith("__"):
            return self._dots(name, after)
        raise LookupError(f"{name} in {self.module.name} leads nowhere.")

    def _dots(self, text: str, names: list[str]) -> str:
        """Names after dots; which are methods of ours is known in the end."""
        self.dotted.update(dict.fromkeys(names))
        return "\0".join([text, *names])

    def _all(self, nodes: list, scope: dict | None = None) -> str:
        """The texts of nodes, within names of their own if some are given."""
        around, self.scopes = self.scopes, [scope, *self.scopes] if scope else self.scopes
        texts = [self.visit(node) if isinstance(node, ast.AST) else repr(node) for node in nodes]
        self.scopes = around
        return f"[{', '.join(filter(None, texts))}]"

    def generic_visit(self, node: ast.AST, scope: dict | None = None) -> str:
        fields = [
            f"{field}={self._all(value if isinstance(value, list) else [value], scope)}"
            for field, value in ast.iter_fields(node)
            if field not in UNSEEN and value not in (None, [])
        ]
        return f"{type(node).__name__}({', '.join(fields)})"

    def _nothing(self, node: ast.AST) -> str:
        return ""

    visit_Import = visit_ImportFrom = visit_Global = visit_Nonlocal = visit_Assert = _nothing

    def visit_Raise(self, node: ast.Raise) -> str:
        return "raise"

    def visit_Constant(self, node: ast.Constant) -> str:
        return repr(node.value)

    def visit_arg(self, node: ast.arg) -> str:
        return node.arg

    def visit_Name(self, node: ast.Name) -> str:
        return self._named(node.id, [])

    def visit_Attribute(self, node: ast.Attribute) -> str:
        names, base = [node.attr], node.value
        while isinstance(base, ast.Attribute):
            names, base = [base.attr, *names], base.value
        if isinstance(base, ast.Name):
            return self._named(base.id, names)
        return self._dots(self.visit(base), names)

    def visit_Expr(self, node: ast.Expr) -> str:
        text = "" if isinstance(node.value, ast.Constant) else self.visit(node.value)
        return "" if text == "told" else text

    def visit_AnnAssign(self, node: ast.AnnAssign) -> str:
        if self.scopes and CLASS in self.scopes[0]:
            return self.generic_visit(node)
        return self.visit(ast.Assign([node.target], node.value)) if node.value else ""

    def visit_Call(self, node: ast.Call) -> str:
        name = _last_name(node.func)
        if name in TELLING:
            return "told"
        function = self.visit(node.func)
        if function == "progress":  # it hands on what it is given
            return self.visit(node.args[0])
        if name in ("getattr", "hasattr") and isinstance(node.args[1], ast.Constant):
            self.dotted[node.args[1].value] = None
        return f"{function}({self._all(node.args)}, {self._all(node.keywords)})"

    def visit_If(self, node: ast.If) -> str:
        raised = [each.exc for each in node.body if isinstance(each, ast.Raise)]
        refusals = [isinstance(e, ast.Call) and _last_name(e.func) == "InputError" for e in raised]
        refusals.append(len(raised) == len(node.body))
        changes = any(isinstance(each, ast.NamedExpr) for each in ast.walk(node.test))
        return "" if all([*refusals, not node.orelse, not changes]) else self.generic_visit(node)

    def visit_ListComp(self, node: ast.expr) -> str:
        first = self.visit(node.generators[0].iter)  # does not know the variables yet
        scope = bound([each.target for each in node.generators], "")
        return f"{first}: {self.generic_visit(node, scope)}"

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.Lambda) -> str:
        body = node.body if isinstance(node.body, list) else [node.body]
        around = self._own_name(node) + self._all([*getattr(node, "decorator_list", []), node.args])
        scope = dict(own_names(node, self.module.package))
        return f"{type(node).__name__} {around}: {self._all(body, scope)}"

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> str:
        rest = [each for each in node.body if not isinstance(each, FUNCTIONS)]
        methods = [e for e in node.body if isinstance(e, FUNCTIONS) and e.name not in FOR_PEOPLE]
        methods.sort(key=lambda each: each.name)
        around = self._own_name(node) + self._all(
            [*node.decorator_list, *node.bases, *node.keywords]
        )
        names = {each.name for each in methods}
        used = [each for line in rest for each in ast.walk(line) if isinstance(each, ast.Name)]
        self.dotted |= {each.id: None for each in used if each.id in names}
        names |= set(bound(rest, self.module.package))
        text = f"class {around}: {self._all(rest, {CLASS: None, **{n: n for n in names}})}"
        if self.scopes or [e for e in node.bases if ast.unparse(e) != "NamedTuple"]:
            return text + "".join(f", {each.name} {self.visit(each)}" for each in methods)
        for each in methods:
            self.methods.setdefault((self.module.name, node.name, each.name), []).append(each)
        return text

    def _own_name(self, node: ast.AST) -> str:
        """What a function or a class inside another is called there."""
        name = getattr(node, "name", None)
        return self._named(name, []) if any(name in scope for scope in self.scopes) else ""

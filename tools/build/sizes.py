"""Count code as the house does: no docstrings, no comments, no blank lines.

python -m tools.build.sizes
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

from tools.build.lessons import ROOT

_NOISE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """How many lines of a Python source hold code.

    Args:
        source: The text of a module.

    Returns:
        The lines that hold more than a docstring or a comment.
    """
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NOISE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", 0), str):
                lines -= set(range(first.lineno, first.end_lineno + 1))
    return len(lines)


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """For each module below a folder: its lines of code, and its lines in all."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        found[path.relative_to(ROOT).as_posix()] = code_lines(source), len(source.splitlines())
    return found


def main() -> int:
    """Print the sizes of the package's rooms, of the tools and of the tests."""
    for folder in ("tlkit", "tools", "tests", "benchmarks"):
        modules = sizes(ROOT / folder)
        rooms: dict[str, list[int]] = {}
        for name, (code, _) in modules.items():
            inside = name.split("/")[1:]
            rooms.setdefault(inside[0] if len(inside) > 1 else "(top)", []).append(code)
        total = sum(code for code, _ in modules.values())
        longest = max(modules, key=lambda name: modules[name][1])
        print(
            f"{folder}: {total:,} lines of code; "
            f"the longest module, {longest}, has {modules[longest][1]} lines in all"
        )
        for room, codes in sorted(rooms.items()):
            print(f"    {room:16} {sum(codes):6,}  in {len(codes)} modules")
    return 0


if __name__ == "__main__":
    sys.exit(main())

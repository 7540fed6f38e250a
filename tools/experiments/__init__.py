"""Heavy tables: computed once by `make experiments`, stored as JSON, shown by the lessons.

Each module beside this one is an experiment of the same name. It holds

    CODE = ["tlkit/features.py", ...]      # files and folders that the result depends on
    PARAMETERS = {"seeds": [0, 1, 2]}      # what is passed to run
    def run(parameters, report): ...       # returns what json can write; report(text): progress

and its result goes to data/experiments/<name>.json with a fingerprint of the code and inputs.
Comments and docstrings do not count, so that a better sentence does not cost an hour of computing.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import io
import json
import pkgutil
import time
import tokenize
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tlkit.paths import write_atomic
from tools.lessons import ROOT

RESULTS = ROOT / "data" / "experiments"


def names() -> list[str]:
    """The names of all experiments."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def load(name: str) -> ModuleType:
    """The module of an experiment."""
    return importlib.import_module(f"{__name__}.{name}")


def result_path(name: str) -> Path:
    """Where an experiment's result is stored."""
    return RESULTS / f"{name}.json"


def fingerprint(experiment: ModuleType) -> str:
    """What the result of an experiment depends on, as 16 hexadecimal digits.

    Args:
        experiment: A module with `CODE` and `PARAMETERS`.

    Returns:
        A hash of the parameters, of the module itself and of all files in `CODE`.

    Raises:
        FileNotFoundError: An entry of `CODE` does not exist.
    """
    digest = hashlib.sha256(json.dumps(experiment.PARAMETERS, sort_keys=True).encode())
    files = {Path(experiment.__file__)}
    for entry in experiment.CODE:
        place = ROOT / entry
        if not place.exists():
            raise FileNotFoundError(
                f"{experiment.__name__} depends on {entry}, which is not there."
            )
        files |= {f for f in place.rglob("*.*") if "__pycache__" not in f.parts} or {place}
    for file in sorted(files, key=lambda file: (file.name, file.relative_to(ROOT).as_posix())):
        content = file.read_bytes().replace(b"\r\n", b"\n")
        if file.suffix == ".py":
            content = bare_code(content.decode()).encode()
        digest.update(file.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


def bare_code(source: str) -> str:
    """Python source without comments, docstrings and blank lines; the same on every Python.

    Args:
        source: The text of a module.

    Returns:
        Its lines of code.
    """
    lines = [*source.splitlines(), ""]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = body[0] if body else None
            if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", 0), str):
                for row in range(first.lineno - 1, first.end_lineno):
                    lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def stale(name: str) -> str | None:
    """Say why a stored result cannot be trusted any more; None when it can."""
    path, mend = result_path(name), f"Run: make experiments NAME={name}"
    if not path.is_file():
        return f"The experiment {name} has no stored result. {mend}"
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored.get("fingerprint") != fingerprint(load(name)):
        return f"The code or the inputs of the experiment {name} changed since it was run. {mend}"
    return None


def run(name: str, report: Callable[[str], None] = print) -> Path:
    """Run an experiment and store its result.

    Args:
        name: The experiment's name.
        report: Called with lines of progress.

    Returns:
        The file that was written.

    Raises:
        RuntimeError: The code changed while it ran, or the file cannot be written.
    """
    experiment = load(name)
    before, began = fingerprint(experiment), time.perf_counter()
    results = experiment.run(experiment.PARAMETERS, lambda text: report(f"{name}: {text}"))
    seconds = time.perf_counter() - began
    if fingerprint(experiment) != before:
        raise RuntimeError(f"The code of {name} changed while it ran; run it again.")
    stored: dict[str, Any] = {
        "experiment": name,
        "fingerprint": before,
        "parameters": experiment.PARAMETERS,
        "seconds": round(seconds),
        "versions": {p: importlib.metadata.version(p) for p in ("keras", "numpy", "scikit-learn")},
        "results": results,
    }
    text = json.dumps(stored, indent=1, ensure_ascii=False) + "\n"
    if not write_atomic(result_path(name), lambda file: file.write(text.encode())):
        raise RuntimeError(f"{result_path(name)} cannot be written.")
    report(f"{name}: stored after {seconds:.0f} s")
    return result_path(name)

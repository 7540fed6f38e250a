"""Heavy tables: computed once by `make experiments`, stored as JSON, shown by the lessons.

Each module beside this one is an experiment of the same name. It holds

    PARAMETERS = {"seeds": [0, 1, 2]}      # what is passed to run
    def run(parameters, report): ...       # returns what json can write; report(text): progress

and its result goes to data/experiments/<name>.json, with a fingerprint of what was computed and of
the versions that it was computed with. `_fingerprints.py` says what counts: neither a moved module
nor a better sentence costs an hour of computing.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import pkgutil
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tlkit.paths import write_atomic
from tools.experiments._fingerprints import reached
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


def versions() -> dict[str, str]:
    """The installed versions of the packages that an experiment's numbers depend on."""
    return {p: importlib.metadata.version(p) for p in ("keras", "numpy", "scikit-learn")}


def fingerprint(name: str, made_with: dict[str, str]) -> str:
    """What the result of an experiment depends on, as 16 hexadecimal digits.

    Args:
        name: The experiment's name.
        made_with: The versions that the result was computed with.

    Returns:
        A hash of the parameters, of all that the experiment computes, and of the versions.

    Raises:
        LookupError: The code leads to something that cannot be found without running it.
    """
    found = reached(ROOT, f"{__name__}.{name}", ["PARAMETERS", "run"])
    whole = json.dumps([list(found.values()), made_with], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def read(name: str) -> dict[str, Any] | None:
    """All that is stored of an experiment; None when nothing is."""
    path = result_path(name)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def store(stored: dict[str, Any]) -> Path:
    """Write all that is stored of an experiment; returns the file.

    Raises:
        RuntimeError: The file cannot be written.
    """
    path = result_path(stored["experiment"])
    text = json.dumps(stored, indent=1, ensure_ascii=False) + "\n"
    if not write_atomic(path, lambda file: file.write(text.encode())):
        raise RuntimeError(f"{path} cannot be written.")
    return path


def stale(name: str) -> str | None:
    """Say why a stored result cannot be trusted any more; None when it can."""
    stored, mend = read(name), f"Run: make experiments NAME={name}"
    if not stored:
        return f"The experiment {name} has no stored result. {mend}"
    if stored["fingerprint"] != fingerprint(name, stored["versions"]):
        return f"What the experiment {name} computes has changed since it was run. {mend}"
    return None


def other_versions(name: str) -> str | None:
    """Say which other versions a stored result was computed with; None when they are these.

    Other versions alone make no table stale: Python 3.11 has another NumPy than 3.12.
    """
    made_with = (read(name) or {}).get("versions", versions())
    differing = made_with.items() - versions().items()
    told = ", ".join(f"{package} {version}" for package, version in sorted(differing))
    return f"{name} was computed with {told}; another version is installed here." if told else None


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
    experiment, made_with = load(name), versions()
    before, began = fingerprint(name, made_with), time.perf_counter()
    results = experiment.run(experiment.PARAMETERS, lambda text: report(f"{name}: {text}"))
    seconds = time.perf_counter() - began
    if fingerprint(name, made_with) != before:
        raise RuntimeError(f"The code of {name} changed while it ran; run it again.")
    path = store(
        {
            "experiment": name,
            "fingerprint": before,
            "parameters": experiment.PARAMETERS,
            "seconds": round(seconds),
            "versions": made_with,
            "results": results,
        }
    )
    report(f"{name}: stored after {seconds:.0f} s")
    return path

"""Heavy tables: computed once by `make experiments`, stored as JSON, shown by the lessons.

Each module beside this one is an experiment of the same name. It holds

    PARAMETERS = {"seeds": [0, 1, 2]}      # what is passed to run
    def run(parameters, report): ...       # returns rows; report(text) tells the progress
    def part(row): ...                     # only if run can be given one seed at a time
    def tune(parameters, report): ...      # only if settings are to be found, on other seeds

README.md is the protocol that they keep. A result goes to data/experiments/<name>.json, with a
fingerprint of what was computed and of the versions that it was computed with. `_fingerprints.py`
says what counts: neither a moved module nor a better sentence costs an hour of computing.

An experiment with a `part` runs seed by seed. Each is kept in data/experiments/partial until the
table is complete, and found there by the next start; it may be committed meanwhile. The table then
holds one part after the other, with all its seeds. What all seeds share and no cache on disk keeps
belongs into a function under `functools.cache`. What `tune` returns, for each arm all that was
tried and what was chosen, is kept and stored, too; `run` finds it in `parameters["tuned"]`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import pkgutil
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tlkit.paths import write_atomic
from tools.build.lessons import ROOT
from tools.experiments._fingerprints import reached

RESULTS = ROOT / "data" / "experiments"
WAITING = ROOT / "data" / "tables_to_verify.json"


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
    module = f"{__name__}.{name}"
    found = reached(ROOT, module, ["PARAMETERS", "run", *["tune"] * hasattr(load(name), "tune")])
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
    return _write(result_path(stored["experiment"]), stored)


def _write(path: Path, content: dict[str, Any]) -> Path:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    if not write_atomic(path, lambda file: file.write(text.encode())):
        raise RuntimeError(f"{path} cannot be written.")
    return path


def stale(name: str) -> str | None:
    """Say why a stored result cannot be trusted any more; None when it can."""
    stored, mend = read(name), f"Run: make experiments NAME={name}"
    if not stored:
        return f"The experiment {name} has no stored result. {mend}"
    now = fingerprint(name, stored["versions"])
    if stored["fingerprint"] != now and waiting().get(name) != now:
        return f"What the experiment {name} computes has changed since it was run. {mend}"
    return None


def waiting() -> dict[str, str]:
    """The tables whose code was rebuilt and is still to be shown to compute the same.

    Each with the fingerprint of the code that is to be verified: any later change makes the table
    stale. No release goes out before `make experiments VERIFY=1` has emptied the list.
    """
    return json.loads(WAITING.read_text(encoding="utf-8")) if WAITING.is_file() else {}


def let_wait(names: list[str]) -> Path:
    """Put tables on that list, with the code of now; those that are up to date leave it."""
    found = {}
    for name in names:
        stored = read(name)
        now = fingerprint(name, stored["versions"])
        if stored["fingerprint"] != now:
            found[name] = now
    return _write(WAITING, found)


def other_versions(name: str) -> str | None:
    """Say which other versions a stored result was computed with; None when they are these.

    Other versions alone make no table stale: Python 3.11 has another NumPy than 3.12.
    """
    made_with = (read(name) or {}).get("versions", versions())
    differing = made_with.items() - versions().items()
    told = ", ".join(f"{package} {version}" for package, version in sorted(differing))
    return f"{name} was computed with {told}; another version is installed here." if told else None


def one_seed(parameters: Any, place: int = 0, of_seeds: bool = False) -> Any:
    """Parameters with only one of every list of seeds, at any depth: the one at a place."""
    if isinstance(parameters, dict):
        return {
            name: one_seed(value, place, of_seeds or name.endswith("seeds"))
            for name, value in parameters.items()
        }
    cut = of_seeds and isinstance(parameters, list)
    return parameters[place : place + 1] if cut else parameters


def in_parts(rows: list[dict], part: Callable[[dict], Any]) -> list[dict]:
    """The rows of one seed after the other as a table: one part after the other.

    Args:
        rows: In the order in which seeds were run.
        part: Tells to which part a row belongs.

    Returns:
        The rows. One that is the same for every seed, as of a baseline without training, is once
        in it.
    """
    rows = [row for place, row in enumerate(rows) if row not in rows[:place]]
    parts = list(dict.fromkeys(map(part, rows)))
    return sorted(rows, key=lambda row: parts.index(part(row)))


def run(name: str, report: Callable[[str], None] = print) -> Path:
    """Run an experiment, but for the seeds that are kept of an earlier start; store its result.

    Args:
        name: The experiment's name.
        report: Called with lines of progress.

    Returns:
        The file that was written.

    Raises:
        RuntimeError: The code changed while it ran, or a file cannot be written.
    """
    experiment, made_with = load(name), versions()
    parameters, part = experiment.PARAMETERS, getattr(experiment, "part", None)
    before = fingerprint(name, made_with)

    def compute(of: Callable, some: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        results = of(some, lambda text: report(f"{name}: {text}"))
        if fingerprint(name, made_with) != before:
            raise RuntimeError(f"The code of {name} changed while it ran; run it again.")
        return {"seconds": round(time.perf_counter() - began), "results": results}

    partial = RESULTS / "partial" / name

    def kept(what: str, of: Callable, some: dict[str, Any]) -> dict[str, Any]:
        file = partial / before / f"{what}.json"
        if file.is_file():
            report(f"{name}: {what.replace('_', ' ')} is kept of an earlier start")
        else:
            _write(file, compute(of, some))
        return json.loads(file.read_text(encoding="utf-8"))

    seconds = 0
    if tune := getattr(experiment, "tune", None):
        found = kept("tuned", tune, parameters)
        seconds, parameters = found["seconds"], {**parameters, "tuned": found["results"]}
    if part:
        results = []
        for place, seed in enumerate(parameters["seeds"]):
            found = kept(f"seed_{seed}", experiment.run, one_seed(parameters, place))
            seconds, results = seconds + found["seconds"], results + found["results"]
        results = in_parts(results, part)
    else:
        found = compute(experiment.run, parameters)
        seconds, results = seconds + found["seconds"], found["results"]
    path = store(
        {
            "experiment": name,
            "fingerprint": before,
            "parameters": parameters,
            "seconds": seconds,
            "versions": made_with,
            "results": results,
        }
    )
    shutil.rmtree(partial, ignore_errors=True)
    report(f"{name}: stored after {seconds} s")
    return path

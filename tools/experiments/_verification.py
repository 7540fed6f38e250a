"""Is a stored table still what today's code computes? One seed of it, by the code of then and now.

Both run on this machine, one after the other, each with a cache of its own and on one thread, so
that every sum has one order: what the same code computes twice is then the same to the last digit.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools import experiments

# Started in a folder with the course's code: an experiment, its parameters, a file for the results.
RUN = """
import importlib, json, os, sys
import keras
# What an experiment draws before it sets a seed of its own must be the same in both runs, too.
keras.utils.set_random_seed(0)
experiment = importlib.import_module(f"tools.experiments.{sys.argv[1]}")
assert os.path.samefile(experiment.__file__, f"tools/experiments/{sys.argv[1]}.py")
with open(sys.argv[3], "w") as file:
    json.dump(experiment.run(json.loads(sys.argv[2]), lambda text: print(text, flush=True)), file)
"""
ONE_THREAD = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def verify(name: str, report: Callable[[str], None] = print) -> bool:
    """Run one seed of a stored table with the commit that made it and with today's code.

    If both agree to the last digit, seconds aside, the table gets today's fingerprint.

    Args:
        name: The experiment's name.
        report: Called with lines of progress.

    Returns:
        Whether they agree.

    Raises:
        RuntimeError: There is nothing to compare, a run failed, or code changed meanwhile.
    """
    stored = experiments.read(name)
    commit = stored and _made_by(name, stored["results"])
    if not commit:
        raise RuntimeError(f"No commit holds the stored table of {name} as it is; commit it first.")
    given = {key: each for key, each in stored["parameters"].items() if key != "tuned"}
    if json.loads(json.dumps(experiments.load(name).PARAMETERS)) != given:
        raise RuntimeError(f"{name} has other parameters now; run: make experiments NAME={name}")
    now = experiments.fingerprint(name, stored["versions"])
    parameters = json.dumps(experiments.one_seed(stored["parameters"]))
    with _worktree(commit) as then:
        rows = []
        for folder, code in ((then, f"commit {commit[:7]}"), (experiments.ROOT, "today's code")):
            report(f"{name}, one seed with {code}")
            rows.append(_run(folder, name, parameters))
    if experiments.fingerprint(name, stored["versions"]) != now:
        raise RuntimeError(f"The code of {name} changed while it ran; verify it again.")
    differing = [pair for pair in zip(*rows, strict=False) if pair[0] != pair[1]]
    if differing or len(rows[0]) != len(rows[1]):
        report(f"{name}: {len(rows[0])} and {len(rows[1])} rows, {len(differing)} differ")
        report("\n".join(f"  then {old}\n  now  {new}" for old, new in differing[:3]))
        return False
    experiments.store({**stored, "fingerprint": now})
    report(f"{name}: {len(rows[0])} rows agree to the last digit; it has today's fingerprint.")
    return True


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(experiments.ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _made_by(name: str, results: Any) -> str | None:
    """The oldest commit since which these results have been stored."""
    made, path = None, experiments.result_path(name).relative_to(experiments.ROOT).as_posix()
    for commit in _git("log", "--format=%H", "--diff-filter=AM", "--", path).split():
        if json.loads(_git("show", f"{commit}:{path}"))["results"] != results:
            break
        made = commit
    return made


@contextlib.contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    """A folder with the course as it was; gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "then"
        _git("worktree", "add", "--detach", str(place), commit)
        try:
            yield place
        finally:
            _git("worktree", "remove", "--force", str(place))


def _run(folder: Path, name: str, parameters: str) -> list[dict]:
    """The rows of an experiment, computed by the code in a folder."""
    with tempfile.TemporaryDirectory() as cache:
        file = Path(cache) / "results.json"
        environment = {
            **{name: value for name, value in os.environ.items() if name != "TLKIT_SHARED_CACHE"},
            **dict.fromkeys(ONE_THREAD, "1"),
            "PYTHONPATH": str(folder),
            "TLKIT_CACHE": cache,
        }
        command = [sys.executable, "-c", RUN, name, parameters, str(file)]
        if subprocess.run(command, cwd=folder, env=environment).returncode:
            raise RuntimeError(f"{name} could not be run by the code in {folder}.")
        rows = json.loads(file.read_text(encoding="utf-8"))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]

"""A class in miniature: learners at one JupyterHub, all of whom run a lesson at the same time.

    python -m tools.places.classroom --learners 10 --lesson 03

Starts a JupyterHub of its own on this computer, with the configuration of
docs/teaching/jupyterhub and a shared cache that nobody can write. Each learner gets a server,
fetches the course with nbgitpuller, opens the lesson and runs every cell in order; first one
learner alone, then all at once. Nobody reads or thinks in between: a real class is kinder.

Needs `pip install ".[hub]"` and `npm install -g configurable-http-proxy`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tlkit.paths import write_atomic
from tools.build.environments import run
from tools.build.lessons import NOTEBOOKS, ROOT, duration, notebook_path, stems
from tools.places.class_hub import Hub, Watch
from tools.places.class_size import CLASSROOM
from tools.places.learner import Learner
from tools.places.warm_cache import set_writable, size, warm


@dataclass
class Visit:
    """What became of one learner.

    Attributes:
        name: The learner.
        ready: Seconds until the lesson was open.
        ran: Seconds that its cells took.
        cells: How many cells ran.
        failure: What went wrong; empty when nothing did.
    """

    name: str
    ready: float = 0.0
    ran: float = 0.0
    cells: int = 0
    failure: str = ""


def damaged(folder: Path) -> list[str]:
    """Names of the arrays in a cache that cannot be read, and of half-written files."""
    bad = []
    for file in folder.rglob("*"):
        try:
            if file.name.startswith("."):
                bad.append(file.name)
            elif file.suffix == ".npz":
                with np.load(file, allow_pickle=False) as kept:
                    [kept[name] for name in kept.files]
        except Exception:
            bad.append(file.name)
    return bad


def can_write(folder: Path) -> bool:
    """Whether this process may write into a folder, whatever its permissions say: root may."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def visit(hub: Hub, name: str, lesson: str, branch: str) -> Visit:
    """One learner's visit: get a server and the course, run every cell of a lesson.

    Args:
        hub: Where.
        name: The learner's name.
        lesson: The lesson's stem.
        branch: The branch to fetch.

    Returns:
        What became of it; whatever goes wrong is in it.
    """
    made, began = Visit(name), time.perf_counter()
    try:
        learner = Learner(hub.url, name, hub.token)
        learner.get_server()
        learner.fetch_course(str(ROOT), branch, "course")
        notebook = learner.open(f"course/{NOTEBOOKS.name}/{lesson}.ipynb")
        made.ready = time.perf_counter() - began
        for code in notebook:
            made.cells += 1
            learner.run(code)
    except Exception as error:
        made.failure = f"{type(error).__name__}: {str(error)[:300]}"
    made.ran = time.perf_counter() - began - made.ready
    return made


def run_class(
    learners: int, lesson: str, folder: Path, shared: Path, proxy: str
) -> tuple[list[Visit], dict[str, float]]:
    """A hub, some learners at once, and what that took of the computer.

    Args:
        learners: How many.
        lesson: The lesson's stem.
        folder: An empty folder for the hub and the learners' homes.
        shared: The shared cache.
        proxy: The command `configurable-http-proxy`.

    Returns:
        What became of each, and the megabytes that one kernel and one learner held at the most.
    """
    branch = run(["git", "rev-parse", "--abbrev-ref", "HEAD"], cwd=ROOT).strip()
    names = [f"learner{number + 1:02}" for number in range(learners)]
    with (
        Hub(folder, shared, proxy) as hub,
        Watch(hub.process.pid) as watch,
        ThreadPoolExecutor(learners) as pool,
    ):
        visits = list(pool.map(lambda name: visit(hub, name, lesson, branch), names))
    return visits, {"kernel_mb": watch.kernel_mb, "learner_mb": watch.learner_mb}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 when nobody failed and nothing is damaged."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.places.classroom", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--learners", type=int, default=10, help="how many (%(default)s)")
    parser.add_argument("--lesson", default="03", help="the lesson's number (%(default)s)")
    parser.add_argument("--shared-cache", type=Path, help="a warm one; made if not given")
    parser.add_argument("--proxy", help="the command configurable-http-proxy, if not on the PATH")
    parser.add_argument("--write", action="store_true", help=f"store it in {CLASSROOM.name}")
    given = parser.parse_args(arguments)
    proxy = given.proxy or shutil.which("configurable-http-proxy")
    if given.learners < 1:
        parser.error("a class has at least one learner")
    if not proxy:
        parser.error("configurable-http-proxy is missing: npm install -g configurable-http-proxy")
    (lesson,) = stems([given.lesson])
    with tempfile.TemporaryDirectory(prefix="classroom-", ignore_cleanup_errors=True) as place:
        shared = given.shared_cache or Path(place) / "shared"
        if not given.shared_cache:
            print(f"Warming a shared cache for lesson {given.lesson} …", flush=True)
            warm(shared, notebook_path(lesson))
        set_writable(shared, False)
        try:
            results = _hold(given.learners, lesson, Path(place), shared.resolve(), proxy)
        finally:
            # So that it can be deleted.
            if not given.shared_cache:
                set_writable(shared, True)
    if given.write and results:
        _store(lesson, results)
    return 0 if results else 1


def _hold(learners: int, lesson: str, place: Path, shared: Path, proxy: str) -> dict[int, dict]:
    """Hold the class: one learner, then all; returns what it took, nothing if anybody failed."""
    if can_write(shared):
        raise SystemExit(
            "This process can write where nobody should (root can): run it as an ordinary user, or "
            "with: setpriv --bounding-set=-dac_override,-dac_read_search,-fowner"
        )
    print(f"Shared cache: {size(shared)[0]} files, {size(shared)[1]:.0f} MB, read-only")
    results = {}
    for many in sorted({1, learners}):
        folder = place / f"class-of-{many}"
        folder.mkdir()
        visits, held = run_class(many, lesson, folder, shared, proxy)
        failed = [each for each in visits if each.failure]
        for each in failed:
            print(f"  {each.name} failed in cell {each.cells}: {each.failure}")
        bad = [name for cache in folder.glob("homes/*/tlkit-cache") for name in damaged(cache)]
        ran = sorted(each.ran for each in visits)
        ready = max(each.ready for each in visits)
        took = {"ready": ready, "fastest": ran[0], "slowest": ran[-1], **held}
        results[many] = {name: round(value) for name, value in took.items()}
        print(
            f"{many:3} at once: lesson open after {ready:.0f} s at most, its {visits[0].cells} "
            f"cells ran in {duration(ran[0])} to {duration(ran[-1])}; {len(failed)} failed.\n"
            f"    One kernel held {held['kernel_mb']:.0f} MB at most, one learner "
            f"{held['learner_mb']:.0f} MB. Damaged in their caches: {', '.join(bad) or 'nothing'}.",
            flush=True,
        )
        if failed or bad:
            return {}
    return results


def _store(lesson: str, results: dict[int, dict]) -> None:
    """Keep what was measured, for the table in docs/teaching/jupyterhub.md."""
    classes = {str(many): took for many, took in results.items()}
    if CLASSROOM.is_file():
        # A class of another size, measured before on the same lesson.
        before = json.loads(CLASSROOM.read_text(encoding="utf-8"))
        classes = {**(before["classes"] if before["lesson"] == lesson else {}), **classes}
    stored = {
        "made_by": f"python -m tools.places.classroom --learners {max(map(int, classes))} "
        f"--lesson {lesson.partition('_')[0]} --write",
        "cores": len(os.sched_getaffinity(0)),
        "lesson": lesson,
        "classes": dict(sorted(classes.items(), key=lambda each: int(each[0]))),
    }
    text = json.dumps(stored, indent=1) + "\n"
    write_atomic(CLASSROOM, lambda file: file.write(text.encode()))


if __name__ == "__main__":
    sys.exit(main())

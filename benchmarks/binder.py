"""Time and peak memory of every lesson within Binder's limits: one processor and 2 GB.

    python benchmarks/binder.py --python build/binder/bin/python        # all lessons, printed
    python benchmarks/binder.py --python build/binder/bin/python 03     # one
    python benchmarks/binder.py --python build/binder/bin/python --write  # and update the table

The environment, once (Linux; Binder's Python is 3.12):

    python3.12 -m venv build/binder
    build/binder/bin/pip install -r .binder/requirements.txt ipykernel jupyterlab
    build/binder/bin/pip install --no-deps -e .

Everything runs as on Binder: with `.binder/start`, with an idle JupyterLab beside it, whose memory
counts too, and an empty cache. Memory is what all its processes hold together, shared pages
counted once. More than 2 GB is a failure. Name a memory cgroup with `--cgroup` and Linux itself
enforces the limit, by ending whoever exceeds it. As root, where cgroups are of version 1:

    mkdir /sys/fs/cgroup/memory/binder
    echo 2G > /sys/fs/cgroup/memory/binder/memory.limit_in_bytes

Two times are given. Processor seconds are what the lesson takes on a core that has nothing else to
do; the others passed on the clock, while the machine may have had other work.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from tlkit.paths import write_atomic  # noqa: E402
from tools.build.kernels import run_notebook  # noqa: E402
from tools.build.lessons import LEARNER, NOTEBOOKS, SOURCE, duration, stems  # noqa: E402
from tools.build.notebook_text import read_lesson  # noqa: E402
from tools.build.pages import put  # noqa: E402
from tools.places.binder import BINDER_TIMES, PLATFORMS, binder_table, binder_times  # noqa: E402

LIMIT = 2 * 1024**3  # bytes


class Watch(threading.Thread):
    """Watches processes with all their descendants, five times a second.

    Attributes:
        peak: The most bytes that they held together.
        seconds: Processor seconds that they took.
    """

    def __init__(self, *pids: int) -> None:
        super().__init__(daemon=True)
        self.peak, self.seconds, self._over = 0, 0.0, threading.Event()
        self._roots = [psutil.Process(pid) for pid in pids]

    def run(self) -> None:
        while not self._over.wait(0.2):
            try:
                children = [c for root in self._roots for c in root.children(recursive=True)]
            except psutil.Error:  # the kernel has ended
                continue
            processes = [*self._roots, *children]
            self.peak = max(self.peak, sum(map(_held, processes)))
            self.seconds = max(self.seconds, sum(map(_worked, processes)))

    def stop(self) -> None:
        """Stop watching."""
        self._over.set()
        self.join()


def measure(path: Path, python: Path, cgroup: str = "") -> dict:
    """Run a learner's notebook in the cage.

    Args:
        path: The lesson's source.
        python: The Python of Binder's environment.
        cgroup: The folder of a memory cgroup, or nothing.

    Returns:
        `seconds` on the clock, `processor_seconds`, `peak_mb`, and `problem`, empty if all is well.
    """
    cage = [sys.executable, str(ROOT / "benchmarks" / "_cage.py"), cgroup]
    cage.append(str(ROOT / ".binder" / "start"))
    lab = [*cage, str(python), "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryFile() as log:
        server = subprocess.Popen(lab, cwd=ROOT, stdout=log, stderr=log)
        watches: list[Watch] = []

        def begin(pid: int) -> None:
            watches.append(Watch(pid, server.pid))
            watches[0].start()

        try:
            seconds, problem = run_notebook(
                read_lesson(path, LEARNER),
                NOTEBOOKS,
                variables={"TLKIT_CACHE": cache},
                python=python,
                prefix=cage,
                on_start=begin,
            )
        finally:
            for watch in watches:
                watch.stop()
            server.terminate()
            server.wait()
    (watch,) = watches
    if not problem and watch.peak > LIMIT:
        problem = "more than 2 GB"
    return {
        "seconds": round(seconds),
        "processor_seconds": round(watch.seconds),
        "peak_mb": round(watch.peak / 1e6),
        "problem": problem,
    }


def _held(process: psutil.Process) -> int:
    """Bytes of a process, its part of what it shares with others included; 0 when it has ended."""
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _worked(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])  # its own and its ended children's, user and system
    except psutil.Error:
        return 0.0


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the numbers of the lessons, such as 01 03")
    parser.add_argument("--python", type=Path, required=True, help="of Binder's environment")
    parser.add_argument("--cgroup", default="", help="the folder of a memory cgroup")
    parser.add_argument("--write", action="store_true", help="update the stored figures")
    options = parser.parse_args()
    measured, failed = {}, False
    print(f"{'lesson':34} {'processor':>12} {'clock':>12} {'peak memory':>12}")
    for stem in stems(options.lessons):
        cost = measure(SOURCE / f"{stem}.py", options.python.absolute(), options.cgroup)
        times = f"{duration(cost['processor_seconds']):>12} {duration(cost['seconds']):>12}"
        print(f"{stem:34} {times} {cost['peak_mb']:>9} MB {cost['problem']}", flush=True)
        failed |= bool(cost.pop("problem"))
        # The clock tells how busy this machine was, not what Binder takes.
        measured[stem] = {key: cost[key] for key in ("processor_seconds", "peak_mb")}
    if options.write and not failed:
        stored = {
            "made_by": "python benchmarks/binder.py --write",
            "lessons": dict(sorted({**binder_times(), **measured}.items())),
        }
        text = json.dumps(stored, indent=1) + "\n"
        write_atomic(BINDER_TIMES, lambda file: file.write(text.encode()))
        put(PLATFORMS, "binder", binder_table())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Binder: what it installs and starts, and what the lessons were measured to take there."""

import os
import runpy
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.build.lessons import LESSONS, ROOT
from tools.places import binder

STARTED = ("start", "postBuild")


def test_every_lesson_was_run_within_binders_limits():
    measured = binder.binder_times()
    mend = "Run: python benchmarks/binder.py --python build/binder/bin/python --write"
    assert set(measured) == {lesson.stem for lesson in LESSONS}, mend
    for stem, cost in measured.items():
        assert 0 < cost["peak_mb"] * 1e6 < 2 * 1024**3 and cost["processor_seconds"] > 0, stem


def test_binder_gets_the_part_of_the_lock_that_the_lessons_need():
    linux = {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"}
    linux |= {"python_version": binder.PYTHON, "python_full_version": f"{binder.PYTHON}.0"}
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lock if line and not line.startswith("#")]
    every = {
        f"{one.name}{one.specifier}"
        for one in wanted
        if not one.marker or one.marker.evaluate(linux)
    }
    lines = binder.BINDER_LOCK.read_text(encoding="utf-8").splitlines()
    pins = {line for line in lines if not line.startswith("#")}
    assert pins <= every, "Run: python -m tools.places.binder"
    names = {line.partition("==")[0] for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    assert asked | {"tensorflow-cpu"} <= names, "Run: python -m tools.places.binder"
    assert not {"tensorflow", "pytest", "ruff", "jupyterlab", "nbval"} & names


def test_binder_names_its_python_and_takes_all_else_from_that_part():
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text(encoding="utf-8"))
    *plain, pip = environment["dependencies"]
    assert plain == [f"python={binder.PYTHON}", "pip"]
    assert pip == {"pip": ["-r requirements.txt"]}


@pytest.mark.skipif(os.name != "posix", reason="Binder is Linux")
def test_what_binder_starts_has_one_thread_and_keeps_its_arguments():
    assert all(os.access(ROOT / ".binder" / name, os.X_OK) for name in STARTED)
    show = "import os, sys; print(os.environ['MALLOC_ARENA_MAX'], sys.argv[1:], *[os.environ[n] "
    show += "for n in ('TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'OMP_NUM_THREADS')])"
    command = [ROOT / ".binder" / "start", sys.executable, "-c", show, "two words", "$HOME"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "2 ['two words', '$HOME'] 1 1 1\n"


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Binder is Linux")
def test_the_watch_sees_what_a_process_and_its_child_hold():
    pytest.importorskip("psutil")
    watch = runpy.run_path(str(ROOT / "benchmarks" / "binder.py"))["Watch"]
    hold = "import sys; x = bytearray(b'x') * {mb}_000_000; {then}; print(flush=True); "
    hold += "sys.stdin.read()"
    inner = hold.format(mb=40, then="0")
    child = f"import subprocess; c = subprocess.Popen([sys.executable, '-c', {inner!r}])"
    command = [sys.executable, "-c", hold.format(mb=60, then=child)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.readline(), process.stdout.readline()  # both hold what they will
        seen = watch(process.pid)
        seen.start()
        deadline = time.monotonic() + 5
        while not seen.peak and time.monotonic() < deadline:
            time.sleep(0.05)
        seen.stop()
        process.communicate()  # its end lets both go
    assert 100e6 < seen.peak < 180e6 and seen.seconds > 0

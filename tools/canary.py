"""Run the lessons with the newest or the oldest versions that pyproject.toml allows.

    python -m tools.canary --newest            # every lesson; needs uv, a network, 3 GB of disk
    python -m tools.canary --oldest 01 03      # these lessons, with the oldest versions
    python -m tools.canary --oldest --quick    # the quick tests as well
    python -m tools.canary --newest --python python3.13 --keep build/canary-newest

Without `--newest` or `--oldest` both are tried, one after the other. The lessons run in a copy of
the course, with an empty cache. A hung cell or a kernel that dies ends its lesson with a line.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from tlkit.findings import Finding, Findings
from tools.build_notebooks import BuildError, sources
from tools.elsewhere import copy_of_course, make_environment, python_of, run, run_notebook
from tools.lessons import INDEX, ROOT, duration
from tools.lock import PYTHONS

# The oldest versions that are named, and whatever they need in its newest: what pip would do.
RESOLUTIONS = {"newest": "highest", "oldest": "lowest-direct"}
EXTRAS = ("cpu", "lab", "dev")
SHOWN = ("keras", "tensorflow-cpu", "tensorflow", "numpy", "matplotlib", "scikit-learn")
QUICK_LIMIT = 1800  # seconds; they take two minutes where nothing else runs


def find_python(end: str) -> str:
    """The newest or the oldest supported Python of this computer; this one, when no other is found.

    Args:
        end: `"newest"` or `"oldest"`.
    """
    order = PYTHONS if end == "oldest" else PYTHONS[::-1]
    for version in order:
        program = shutil.which(f"python{version}")
        works = program and subprocess.run([program, "--version"], capture_output=True)
        if works and works.returncode == 0:  # a version manager's stand-in may lead nowhere
            return program
    return sys.executable


def find_uv(place: Path) -> str:
    """uv, from pip in an environment of its own when it is not there yet.

    Args:
        place: A folder for that environment.
    """
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found:
        return found
    own = make_environment(place / "uv", sys.executable, ["uv"])
    return str(own.with_name("uv.exe" if sys.platform == "win32" else "uv"))


def compile_command(uv: str, end: str, version: str, out: Path) -> list[str]:
    """How uv is asked for the versions at one end of the ranges.

    Args:
        uv: The program.
        end: `"newest"` or `"oldest"`.
        version: Of Python, such as `"3.12"`.
        out: The file that uv writes.

    Example:
        >>> compile_command("uv", "oldest", "3.11", Path("o.txt"))[3:7]
        ['--quiet', '--resolution', 'lowest-direct', '--python-version']
    """
    project = str(ROOT / "pyproject.toml")
    command = [uv, "pip", "compile", "--quiet", "--resolution", RESOLUTIONS[end]]
    command += ["--python-version", version, "--no-header", "--no-annotate", project]
    for extra in EXTRAS:
        command += ["--extra", extra]
    return [*command, "--output-file", str(out)]


def canary_environment(folder: Path, end: str, python: str) -> Path:
    """Make an environment with the versions at one end of the ranges.

    Args:
        folder: Where; what was there goes.
        end: `"newest"` or `"oldest"`.
        python: The Python to make it with.

    Returns:
        Its Python.

    Raises:
        SystemExit: It could not be made.
    """
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = run([python, "-c", asked]).stdout.strip()
    own = make_environment(folder, python, [])
    with tempfile.TemporaryDirectory() as temporary:
        uv, pins = find_uv(Path(temporary)), Path(temporary, "pins.txt")
        run(compile_command(uv, end, version, pins))
        run([uv, "pip", "sync", "--quiet", "--python", own, pins])
    return own


def versions(python: Path) -> str:
    """The versions that matter in an environment, in one line."""
    code = (
        "import importlib.metadata as m, json, platform; "
        "print(json.dumps({'Python': platform.python_version(), "
        "**{d.metadata['Name'].lower().replace('_', '-'): d.version for d in m.distributions()}}))"
    )
    found = json.loads(run([python, "-c", code]).stdout)
    return ", ".join(f"{name} {found[name]}" for name in ("Python", *SHOWN) if name in found)


def try_lessons(python: Path, stems: list[str], quick: bool, report=print) -> Findings:
    """Run lessons, and the quick tests when wished, in a copy of the course.

    Args:
        python: Of the environment.
        stems: The lessons, such as `["01_motivation"]`.
        quick: Whether to run the quick tests.
        report: Called with a line when a part is done.

    Returns:
        One finding for each part.
    """
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        course = copy_of_course(Path(temporary, "course"))
        told = {"PYTHONPATH": str(course), "TLKIT_CACHE": str(Path(temporary, "cache"))}
        for stem in stems:
            notebook = nbformat.read(course / "notebooks" / f"{stem}.ipynb", as_version=4)
            seconds, problem = run_notebook(notebook, python, course / "notebooks", told)
            mend = f"see what changed in {stem} or its packages, or narrow the range"
            words = f"stopped after {duration(seconds)}: {problem}" if problem else ""
            found.append(Finding(stem, words or duration(seconds), not problem, mend))
            report(_line(found[-1]))
        if quick:
            found.append(_quick_tests(python, course))
            report(_line(found[-1]))
    return Findings(found)


def _line(finding: Finding) -> str:
    return f"  {'✓' if finding.fine else '✗'} {finding.name}: {finding.found}"


def _quick_tests(python: Path, course: Path) -> Finding:
    """The quick tests, in the copy; a hang ends them."""
    command = [python, "-m", "pytest", "tests", "-m", "not lessons", "-q", "-n", "2"]
    command += ["--dist", "loadfile", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=course,
            capture_output=True,
            text=True,
            timeout=QUICK_LIMIT,
        )
    except subprocess.TimeoutExpired:
        return Finding("quick tests", f"ran longer than {QUICK_LIMIT} s", False, "run them alone")
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["no words"]
    failed = [line.partition(" - ")[0] for line in lines if line.startswith(("FAILED", "ERROR"))]
    mend = "; ".join(failed[:10]) or "run them alone"
    return Finding("quick tests", lines[-1].strip("= "), done.returncode == 0, mend)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the numbers of the lessons, such as 01 03")
    parser.add_argument("--newest", action="store_true", help="only the newest versions")
    parser.add_argument("--oldest", action="store_true", help="only the oldest versions")
    parser.add_argument("--quick", action="store_true", help="the quick tests as well")
    parser.add_argument("--python", help="of the environment")
    parser.add_argument("--keep", type=Path, help="make the environment here and keep it")
    options = parser.parse_args(arguments)
    ends = [end for end in RESOLUTIONS if getattr(options, end)] or list(RESOLUTIONS)
    if options.keep and len(ends) > 1:
        parser.error("--keep holds one environment: say --newest or --oldest")
    try:
        stems = [path.stem for path in sources(options.lessons) if path.stem != INDEX]
    except BuildError as error:
        parser.error(str(error))
    fine = True
    for end in ends:
        with tempfile.TemporaryDirectory() as temporary:
            own = python_of(options.keep) if options.keep else None
            if own is None or not own.is_file():
                folder = options.keep or Path(temporary, end)
                own = canary_environment(folder, end, options.python or find_python(end))
            shown = versions(own.absolute())
            print(f"The {end} versions allowed: {shown}", flush=True)
            found = try_lessons(own.absolute(), stems, options.quick, _say)
        print(f"\nThe {end} versions allowed: {shown}\n{found}\n", flush=True)
        fine &= not found
    return 0 if fine else 1


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

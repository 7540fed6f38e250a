"""Run the lessons as on Google Colab: its versions, an empty folder, the first cell.

    python -m tools.places.colab                    # every lesson; needs a network, 3 GB of disk
    python -m tools.places.colab 01 03              # these
    python -m tools.places.colab --python 3.13 --keep build/colab
    python -m tools.places.colab --resolve          # only ask uv whether the ranges fit there

The environment gets the versions that Colab publishes (colab_versions.txt, beside this file) and a
module named `google.colab`. A local repository with the version's tag stands in for the public
address. What the first cell installs is compared with what was there: only Keras may have changed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from tools.build.address import tag
from tools.build.environments import UV, copy_of_course, make_environment, run
from tools.build.kernels import cell_seconds, run_notebook
from tools.build.lessons import ROOT, stems
from tools.build.notebook_text import is_setup

VERSIONS = ROOT / "tools" / "places" / "colab_versions.txt"
# Seconds of the first cell, with a good line.
CELL_BUDGET = 60
MAY_CHANGE = {"keras"}
PYTHON = "3.13"  # Colab's


def colab_environment(folder: Path, python: str) -> Path:
    """Make an environment like Colab's.

    Args:
        folder: Where; one that is there already is taken as it is.
        python: The Python to make it with; Colab's is 3.13.

    Returns:
        Its Python.
    """
    own = make_environment(folder, python, ["-r", VERSIONS])
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run([own, "-c", place]).strip())
    fake = site / "google" / "colab"
    fake.mkdir(parents=True, exist_ok=True)
    (fake / "__init__.py").write_text("# stands in for Colab's own\n", encoding="utf-8")
    (site / "colab.pth").write_text("import google.colab\n", encoding="utf-8")
    return own


def local_release(folder: Path) -> Path:
    """A copy of the course whose address is a repository beside it, with this version's tag.

    Args:
        folder: An empty folder.

    Returns:
        The copy's folder, which is the repository as well.
    """
    clone = copy_of_course(folder / "remote" / "course")
    run([sys.executable, "-m", "tools.build.address", clone.as_uri()], cwd=clone)
    run([sys.executable, "-m", "tools.build.notebooks", "--text"], cwd=clone)
    git = ["git", "-c", "user.name=trial", "-c", "user.email=trial@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "release"], ["tag", tag()]):
        run([*git, *words], cwd=clone)
    return clone


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Packages that were there and have another version now, or none, and must not.

    Example:
        >>> changed({"numpy": "2.1.3", "keras": "3.13.2"}, {"numpy": "2.2.0", "keras": "3.15.1"})
        ['numpy 2.1.3 -> 2.2.0']
    """
    return [
        f"{name} {version} -> {after.get(name, 'gone')}"
        for name, version in before.items()
        if after.get(name) != version and name not in MAY_CHANGE
    ]


def pins(text: str) -> dict[str, str]:
    """Exact versions by name, from a list such as uv's.

    Example:
        >>> pins("# Colab's\\nkeras==3.13.2\\nnumpy==2.1.3\\n")
        {'keras': '3.13.2', 'numpy': '2.1.3'}
    """
    lines = (line.partition("==") for line in text.splitlines() if not line.startswith("#"))
    return {name.strip().lower(): version.strip() for name, _, version in lines if version}


def packages(python: Path) -> dict[str, str]:
    """Versions of everything in an environment, by name."""
    return pins(run([*UV, "pip", "freeze", "--python", python]))


def resolve() -> dict[str, str]:
    """All of Colab's versions but Keras's, and what pyproject.toml asks for, in one environment.

    Returns:
        Its versions by name, as uv finds them for Colab's Python; nothing is installed.

    Raises:
        SystemExit: There is no such environment; the message ends with uv's reasons.
    """
    lines = VERSIONS.read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as temporary:
        kept = Path(temporary, "kept.in")
        kept.write_text("\n".join(line for line in lines if line.split("=")[0] not in MAY_CHANGE))
        command = [*UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
        return pins(run([*command, "--python-version", PYTHON, ROOT / "pyproject.toml", kept]))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the numbers of the lessons, such as 01 03")
    parser.add_argument("--python", default=PYTHON, help="of the environment (%(default)s)")
    parser.add_argument("--keep", type=Path, help="make the environment here, and keep it")
    parser.add_argument("--resolve", action="store_true", help="only ask uv; needs a network")
    options = parser.parse_args(arguments)
    if options.resolve:
        return 1 if _report(pins(VERSIONS.read_text(encoding="utf-8")), resolve()) else 0
    chosen, failed = stems(options.lessons), False
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        own = colab_environment(options.keep or place / "environment", options.python)
        release, before = local_release(place), packages(own)
        print(f"Python {options.python} and {len(before)} packages as on Colab", flush=True)
        for stem in chosen:
            empty = place / stem
            empty.mkdir()
            shutil.copy(release / "notebooks" / f"{stem}.ipynb", empty)
            notebook = nbformat.read(empty / f"{stem}.ipynb", as_version=4)
            seconds, problem = run_notebook(
                notebook, empty, variables={"PYTHONPATH": ""}, python=own
            )
            first = cell_seconds(next(cell for cell in notebook.cells if is_setup(cell)))
            if not problem and first > CELL_BUDGET:
                problem = f"the first cell takes more than {CELL_BUDGET} s"
            failed |= bool(problem)
            verdict = f"✗ {problem}" if problem else "✓"
            print(f"{verdict} {stem}: {seconds:.0f} s, {first:.1f} s of it the first", flush=True)
        failed |= _report(before, packages(own))
    return 1 if failed else 0


def _report(before: dict[str, str], after: dict[str, str]) -> bool:
    """Print what differs between two states of an environment; says whether it may not differ."""
    wrong = changed(before, after)
    print(f"✗ changed: {', '.join(wrong)}" if wrong else "✓ nothing but Keras was changed")
    new = sorted(set(after) - set(before))
    print(f"Keras {before['keras']} -> {after['keras']}; new: {', '.join(new) or 'nothing'}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

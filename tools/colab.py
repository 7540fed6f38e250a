"""Run the lessons as on Google Colab: its versions, an empty folder, the first cell.

    python -m tools.colab                    # every lesson; needs a network, and 3 GB of disk
    python -m tools.colab 01 03              # these
    python -m tools.colab --python python3.13 --keep build/colab
    python -m tools.colab --resolve          # only ask uv whether the ranges fit there

The environment gets the versions that Colab publishes (tools/colab_versions.txt) and a module named
`google.colab`. A local repository with the version's tag stands in for the public address. What the
first cell installs is compared with what was there: only Keras may have changed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.address import tag
from tools.build_notebooks import sources
from tools.canary import find_uv
from tools.elsewhere import copy_of_course, make_environment, python_of, run, run_notebook
from tools.lessons import INDEX, ROOT
from tools.notebook_text import is_setup

VERSIONS = ROOT / "tools" / "colab_versions.txt"
CELL_BUDGET = 60  # seconds of the first cell, with a good line
MAY_CHANGE = {"keras"}
PYTHON = "3.13"  # Colab's


def colab_environment(folder: Path, python: str) -> Path:
    """Make an environment like Colab's.

    Args:
        folder: Where.
        python: The Python to make it with; Colab's is 3.13.

    Returns:
        Its Python.
    """
    own = make_environment(folder, python, ["-r", str(VERSIONS)])
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run([own, "-c", place]).stdout.strip())
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
    run([sys.executable, "-m", "tools.address", clone.as_uri()], cwd=clone)
    git = ["git", "-c", "user.name=trial", "-c", "user.email=trial@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "release"], ["tag", tag()]):
        run([*git, *words], cwd=clone)
    return clone


def packages(python: Path) -> dict[str, str]:
    """Versions of everything in an environment, by name."""
    done = run([python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"])
    return {one["name"].lower(): one["version"] for one in json.loads(done.stdout)}


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
    """Exact versions by name, from a list such as pip's.

    Example:
        >>> pins("# Colab's\\nkeras==3.13.2\\nnumpy==2.1.3\\n")
        {'keras': '3.13.2', 'numpy': '2.1.3'}
    """
    lines = (line.partition("==") for line in text.splitlines() if not line.startswith("#"))
    return {name.strip().lower(): version.strip() for name, _, version in lines if version}


def resolve() -> dict[str, str]:
    """All of Colab's versions but Keras's, and what pyproject.toml asks for, in one environment.

    Returns:
        Its versions by name, as uv finds them for Colab's Python; nothing is installed.

    Raises:
        SystemExit: There is no such environment; the message ends with uv's reasons.
    """
    colab = pins(VERSIONS.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        kept, out = Path(temporary, "kept.in"), Path(temporary, "out.txt")
        lines = [f"{name}=={version}\n" for name, version in colab.items()]
        kept.write_text("".join(line for line in lines if line.split("=")[0] not in MAY_CHANGE))
        command = [find_uv(Path(temporary)), "pip", "compile", "--quiet", "--no-header"]
        command += ["--no-annotate", "--python-version", PYTHON, "--output-file", out]
        run([*command, ROOT / "pyproject.toml", kept])
        return pins(out.read_text(encoding="utf-8"))


def setup_seconds(notebook: NotebookNode) -> float:
    """How long the first cell ran in a notebook that was just run."""
    (cell,) = [cell for cell in notebook.cells if is_setup(cell)]
    times = cell.metadata["execution"]
    ends = (times["iopub.status.busy"], times["iopub.status.idle"])
    begin, end = (datetime.fromisoformat(moment) for moment in ends)
    return (end - begin).total_seconds()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the numbers of the lessons, such as 01 03")
    parser.add_argument("--python", help=f"of the environment; Colab has {PYTHON}")
    parser.add_argument("--keep", type=Path, help="make the environment here, and keep it")
    parser.add_argument("--resolve", action="store_true", help="only ask uv; needs a network")
    options = parser.parse_args(arguments)
    if options.resolve:
        return _report(pins(VERSIONS.read_text(encoding="utf-8")), resolve())
    chosen = [path.stem for path in sources(options.lessons) if path.stem != INDEX]
    newest = shutil.which(f"python{PYTHON}") or sys.executable
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        own = python_of(options.keep) if options.keep else None
        if own is None or not own.is_file():
            folder = options.keep or place / "environment"
            own = colab_environment(folder, options.python or newest)
        release = local_release(place)
        before = packages(own)
        print(
            f"{own.parent.parent.name}: Python and {len(before)} packages as on Colab", flush=True
        )
        for stem in chosen:
            empty = place / stem
            empty.mkdir()
            shutil.copy(release / "notebooks" / f"{stem}.ipynb", empty)
            notebook = nbformat.read(empty / f"{stem}.ipynb", as_version=4)
            seconds, problem = run_notebook(notebook, own, empty, {"PYTHONPATH": ""})
            first = setup_seconds(notebook) if not problem.startswith("cell 2:") else seconds
            if not problem and first > CELL_BUDGET:
                problem = f"the first cell takes more than {CELL_BUDGET} s"
            failed |= bool(problem)
            verdict = f"✗ {problem}" if problem else "✓"
            print(
                f"{verdict} {stem}: {seconds:.0f} s, {first:.1f} s of it the first cell", flush=True
            )
        failed |= bool(_report(before, packages(own)))
    return 1 if failed else 0


def _report(before: dict[str, str], after: dict[str, str]) -> int:
    """Print what differs between two states of an environment; 1 when it may not differ."""
    wrong = changed(before, after)
    print(f"✗ changed: {', '.join(wrong)}" if wrong else "✓ nothing but Keras was changed")
    new = sorted(set(after) - set(before))
    print(f"Keras {before['keras']} -> {after['keras']}; new: {', '.join(new) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

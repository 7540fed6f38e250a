"""Run a notebook with another Python than this one, in an environment made for it.

What Colab, Binder, the room without internet and the oldest and newest versions have in common.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.lessons import ROOT

CELL_TIMEOUT = 900  # seconds; some of these places are slow, and the machine may be busy
_KERNEL = "elsewhere"


def python_of(environment: Path) -> Path:
    """The Python of a virtual environment."""
    windows = sys.platform == "win32"
    return environment / ("Scripts/python.exe" if windows else "bin/python")


def make_environment(folder: Path, python: str | Path, install: Sequence[str]) -> Path:
    """Make a virtual environment and install into it.

    Args:
        folder: Where; what was there goes.
        python: The Python to make it with.
        install: What `pip install` is to be told.

    Returns:
        The environment's Python.

    Raises:
        SystemExit: It could not be made.
    """
    run([python, "-m", "venv", "--clear", folder])
    own = python_of(folder).absolute()
    if install:
        run([own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *install])
    return own


def copy_of_course(folder: Path, new_too: bool = True) -> Path:
    """Copy the files of the course as they are now.

    Args:
        folder: Where; it is made.
        new_too: Whether files come along that were not yet given to git.

    Returns:
        The folder.
    """
    others = ["--others", "--exclude-standard"] if new_too else []
    names = run(["git", "ls-files", "-z", "--cached", *others], cwd=ROOT)
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file():  # not when it was just removed
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return folder


def run_notebook(
    notebook: NotebookNode,
    python: Path,
    folder: Path,
    environment: dict[str, str] | None = None,
    prefix: Sequence[str] = (),
    on_start: Callable[[int], None] | None = None,
) -> tuple[float, str]:
    """Run a notebook's cells in order, in a fresh kernel of another Python.

    Args:
        notebook: Changed in place: it gets the outputs.
        python: The Python whose environment is to run it; it needs ipykernel.
        folder: The kernel's working directory.
        environment: Variables that are set on top of this process's own.
        prefix: A command that starts the kernel, such as `["nice"]`.
        on_start: Called with the kernel's process number, when it has one.

    Returns:
        The seconds that the cells took, and what went wrong: empty when nothing did.
    """
    variables = {**os.environ, "TLKIT_STRICT": "1", **(environment or {})}
    variables.pop("MPLBACKEND", None)  # or the pictures would not be drawn into the page
    with tempfile.TemporaryDirectory() as place:
        spec = Path(place, "kernels", _KERNEL)
        spec.mkdir(parents=True)
        command = [*prefix, str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        told = {"argv": command, "display_name": "Python elsewhere", "language": "python"}
        (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name=_KERNEL,
            resources={"metadata": {"path": str(folder)}},
            on_notebook_start=lambda notebook: on_start and on_start(_process(client)),
        )
        old, os.environ["JUPYTER_PATH"] = os.environ.get("JUPYTER_PATH"), place
        began = time.perf_counter()
        try:
            client.execute(env=variables)
        except CellExecutionError as error:
            return time.perf_counter() - began, _first_error(notebook) or str(error)
        except CellTimeoutError:
            return time.perf_counter() - began, f"a cell ran longer than {CELL_TIMEOUT} s"
        except DeadKernelError:
            return time.perf_counter() - began, "the kernel died (memory, or a fault in a library)"
        except (RuntimeError, TimeoutError) as error:  # it did not even start
            return time.perf_counter() - began, f"the kernel did not start: {str(error)[:300]}"
        finally:
            if old is None:
                del os.environ["JUPYTER_PATH"]
            else:
                os.environ["JUPYTER_PATH"] = old
    return time.perf_counter() - began, ""


def run(command: Sequence[str | Path], **more) -> subprocess.CompletedProcess:
    """Run a command, keeping what it prints; stops the program when it fails.

    Raises:
        SystemExit: The command failed; the message ends with its last lines.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise SystemExit(f"This failed: {' '.join(words)}\n{last}")
    return done


def _process(client: NotebookClient) -> int:
    return client.km.provisioner.pid


def _first_error(notebook: NotebookNode) -> str:
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"cell {number}: {output.ename}: {output.evalue[:300]}"
    return ""

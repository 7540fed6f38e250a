"""Run a notebook in a fresh kernel, of this Python or another: all tools and benchmarks do it here.

Nothing is raised when a cell fails: what went wrong comes back in words, beside the seconds.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.build.lessons import ROOT

# Seconds; some places are slow, and the machine may be busy.
CELL_TIMEOUT = 900
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # colours, as a terminal understands them


def run_notebook(
    notebook: NotebookNode,
    folder: Path,
    *,
    variables: Mapping[str, str] | None = None,
    python: str | Path = sys.executable,
    prefix: Sequence[str] = (),
    timeout: int | None = None,
    on_start: Callable[[int], None] | None = None,
    **more: Any,
) -> tuple[float, str]:
    """Run a notebook's cells in order, in a fresh kernel that finds the course and is strict.

    Args:
        notebook: Changed in place: it gets the outputs, and how long each cell took.
        folder: The kernel's working directory.
        variables: Environment variables, on top of this process's own.
        python: The Python whose environment is to run it; it needs ipykernel.
        prefix: A command that starts the kernel, such as `["nice"]`.
        timeout: Seconds for each cell; 900 by default.
        on_start: Called with the kernel's process number, when it has one.
        more: What else `nbclient.NotebookClient` is to be told.

    Returns:
        The seconds from the kernel's start to its end, and what went wrong: empty when nothing did.
    """
    timeout = timeout or CELL_TIMEOUT
    places = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "TLKIT_STRICT": "1", "PYTHONPATH": places, **(variables or {})}
    # Or the pictures would not be drawn into the page.
    environment.pop("MPLBACKEND", None)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        on_notebook_start=lambda notebook: on_start and on_start(client.km.provisioner.pid),
        **more,
    )
    command = [*prefix, str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    client.create_kernel_manager().kernel_spec.argv = command
    began, problem = time.perf_counter(), ""
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        problem = (failures(notebook) or [str(error)])[0]
    except CellTimeoutError:
        problem = f"a cell ran longer than {timeout} s"
    except DeadKernelError:
        problem = "the kernel died (memory, or a fault in a library)"
    except (RuntimeError, TimeoutError) as error:  # it did not even start
        problem = f"the kernel did not start: {str(error)[:300]}"
    return time.perf_counter() - began, problem


def failures(notebook: NotebookNode, first: int = 1) -> list[str]:
    """The cells that stopped with an error, as `"cell 7: NameError: … (it begins: x = y)"`.

    Args:
        notebook: A notebook that was run.
        first: The number of its first cell.
    """
    return [
        f"cell {number}: {output.ename}: {ESCAPE.sub('', output.evalue)[:300]} "
        f"(it begins: {cell.source.strip().splitlines()[0]})"
        for number, cell in enumerate(notebook.cells, first)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def cell_seconds(cell: NotebookNode) -> float:
    """How long a cell of a notebook that was just run took; 0 when it did not come to its end."""
    times = cell.metadata.get("execution", {})
    if "iopub.status.idle" not in times:
        return 0.0
    begin, end = (times[f"iopub.status.{state}"] for state in ("busy", "idle"))
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()

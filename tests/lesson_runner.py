"""Run a lesson with something in it broken on purpose, and see which of its claims notice."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tools.lessons import ROOT, SOURCE
from tools.notebook_text import SOLVED, read_lesson

# Runs before the lesson. Claims are noted and none stops its cell, so that all of them are heard.
_LISTEN = """
import tlkit.exercises as _exercises
_heard = []

def _claim(statement, holds, evidence=""):
    _heard.append([statement, bool(holds), evidence])

_exercises.claim = _claim
"""
# Runs after it.
_TELL = "import json as _json; print('CLAIMS ' + _json.dumps(_heard))"

# What to break. Each is Python that runs before the lesson's first cell.
RANDOM_WEIGHTS = """
import keras as _keras, tlkit, tlkit.backbones as _backbones
_load = _backbones.load_backbone

def _load_untrained(*arguments, **more):
    _keras.utils.set_random_seed(0)
    if len(arguments) > 3:
        arguments = (*arguments[:3], None, *arguments[4:])
    else:
        more["weights"] = None
    return _load(*arguments, **more)

_backbones.load_backbone = tlkit.load_backbone = _load_untrained
"""

# The pretrained networks, and those whose first layers the transfer experiment moves.
RANDOM_EVERYWHERE = f"""{RANDOM_WEIGHTS}
import tlkit._transferability as _transfer
_fill = _transfer._Trainer.fill
_transfer._Trainer.fill = lambda self, seed, giver=None, layers=0: _fill(self, seed)
"""

ONE_RATE = """
import tlkit, tlkit.learning_rates as _rates
_make = _rates.differential_optimizer

def _one_rate(model, learning_rate=1e-3, ratio=3.0, *arguments, **more):
    return _make(model, learning_rate, 1.0, *arguments, **more)

_rates.differential_optimizer = tlkit.differential_optimizer = _one_rate
"""

NOTHING_LEARNT = (
    RANDOM_WEIGHTS
    + """
import dataclasses as _dataclasses, numpy as _np, tlkit.cases as _cases
_source = _cases.source_digits

def _wrong_labels():
    data = _source()
    return _dataclasses.replace(data, labels=_np.random.default_rng(0).permutation(data.labels))

_cases.source_digits = _wrong_labels
"""
)

UNTRAINED_TEACHER = """
import keras as _keras, tlkit, tlkit.finetuning as _finetuning

def _not_tuned(model, train, *arguments, **more):
    size = train.images.shape[1]
    base = tlkit.load_backbone(image_size=size, weights=None)
    _keras.utils.set_random_seed(0)
    classes = len(train.class_names)
    features = _keras.Input(base.output_shape[-1:])
    head = _keras.Model(features, _keras.layers.Dense(classes, name="logits")(features))
    return _finetuning.FineTuned(tlkit.attach_head(base, head), {}, 0)

_finetuning.fine_tune = tlkit.fine_tune = _not_tuned
"""


@dataclass(frozen=True)
class Outcome:
    """What became of a lesson's claims.

    Attributes:
        passed: Statements that held whenever they were made.
        failed: Statements that did not hold at least once.
        errors: The error of each cell that stopped, as `"cell 7: NameError: …"`.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    errors: tuple[str, ...]


def run_lesson(
    path: Path, prelude: str, cache: Path, until: Sequence[str] = (), timeout: int = 600
) -> Outcome:
    """Run a solved lesson in a fresh kernel after a prelude that breaks something.

    Args:
        path: The lesson's source.
        prelude: Python code that runs first.
        cache: A folder of its own for what is cached, so that nothing wrong is left behind.
        until: Words of claims; cells after the last one that makes such a claim are left out, to
            save their time. All cells are run by default.
        timeout: Seconds for each cell.

    Returns:
        Which claims held and which did not.
    """
    notebook = read_lesson(path, SOLVED)
    lesson = [cell for cell in notebook.cells if cell.cell_type == "code"]
    ends = [n for n, cell in enumerate(lesson, 1) if any(words in cell.source for words in until)]
    lesson = lesson[: max(ends, default=len(lesson))]
    first, last = (nbformat.v4.new_code_cell(code) for code in (_LISTEN + prelude, _TELL))
    notebook.cells = [first, *lesson, last]
    environment = {**os.environ, "TLKIT_CACHE": str(cache)}
    environment.pop("MPLBACKEND", None)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(ROOT / "notebooks")}},
    )
    client.execute(env=environment)
    errors = [
        f"cell {number}: {output.ename}: {output.evalue}"
        for number, cell in enumerate(notebook.cells)
        for output in cell.outputs
        if output.output_type == "error"
    ]
    if errors and errors[0].startswith("cell 0:"):
        raise RuntimeError(f"The prelude itself failed: {errors[0]}")
    told = "".join(output.get("text", "") for output in last.outputs)
    (line,) = [line for line in told.splitlines() if line.startswith("CLAIMS ")]
    heard = json.loads(line.removeprefix("CLAIMS "))
    failed = {statement: None for statement, holds, _ in heard if not holds}
    passed = {statement: None for statement, _, _ in heard if statement not in failed}
    return Outcome(tuple(passed), tuple(failed), tuple(errors))


def lesson_source(start: str) -> Path:
    """The source of the lesson whose name starts so."""
    (path,) = SOURCE.glob(f"{start}_*.py")
    return path

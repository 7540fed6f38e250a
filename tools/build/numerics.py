"""Run the solved lessons as other computers would, and see how close each claim comes to failing.

python -m tools.build.numerics                               # every lesson in every arithmetic
python -m tools.build.numerics --lesson 05                   # one lesson
python -m tools.build.numerics --arithmetic avx2             # one arithmetic
python -m tools.build.numerics --report                      # run nothing; write the page anew

How a training ends is a matter of rounding: with other instructions or another number of threads it
ends elsewhere. Each arithmetic below imitates another computer. A short training is hashed in each
of them, and one that gives the same bits as an earlier one is left out: it would prove nothing.
What the claims said goes to data/numerics.json, run by run: an interruption costs one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tlkit.paths import write_atomic
from tools.build.lesson_runner import Outcome, lesson_source, run_lesson
from tools.build.lessons import LESSONS, ROOT
from tools.build.notebook_text import SOLVED, read_lesson, source_hash

STORE = ROOT / "data" / "numerics.json"
PAGE = ROOT / "docs" / "numerics.md"
SHOWN = 10
ARITHMETICS = {
    "as it is": {},
    # TensorFlow switches oneDNN on by itself on some processors only.
    "no oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "1"},
    "SSE4.1": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "AVX2": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "one thread": {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"},
    "four threads": {"TF_NUM_INTRAOP_THREADS": "4", "TF_NUM_INTEROP_THREADS": "4"},
    "perturbed 1": {"TLKIT_PERTURB": "1"},
    "perturbed 2": {"TLKIT_PERTURB": "2"},
    "perturbed 3": {"TLKIT_PERTURB": "3"},
}
# Some steps of a small convolutional network: what tells two arithmetics apart.
REFERENCE = """
import hashlib, keras, numpy as np
keras.utils.set_random_seed(0)
layers = keras.layers
network = keras.Sequential([
    keras.Input((64, 64, 3)), layers.Conv2D(32, 3, strides=2), layers.BatchNormalization(),
    layers.DepthwiseConv2D(5, activation="relu6"), layers.Conv2D(64, 1),
    layers.GlobalAveragePooling2D(), layers.Dense(5),
])
network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
rng = np.random.default_rng(0)
network.fit(rng.random((64, 64, 64, 3)), rng.integers(0, 5, 64), verbose=0, shuffle=False)
print(hashlib.sha256(b"".join(w.tobytes() for w in network.get_weights())).hexdigest()[:16])
"""


@dataclass(frozen=True)
class Measured:
    """A claim that a number decides, over all runs of its lesson.

    Attributes:
        lesson: The lesson's number, such as `"05"`.
        statement: The claim's sentence.
        limit: The threshold that comes closest, such as `0.8`.
        values: The deciding number in each run.
        room: The least distance to the threshold, on the right side, over the distance of the
            median: 1 when nothing varies, negative when the claim failed somewhere.
    """

    lesson: str
    statement: str
    limit: float
    values: tuple[float, ...]
    room: float


def processor() -> str:
    """What this computer calls its processor, as well as Python can tell."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        known = dict(line.split(":", 1) for line in lines if ":" in line)
        known = {key.strip(): value.strip() for key, value in known.items()}
        widest = [each for each in ("avx512f", "avx2", "sse4_1") if each in known.get("flags", "")]
        return f"{known.get('model name', platform.machine())}, {(widest or ['?'])[0]}"
    return platform.processor() or platform.machine()


def reference(arithmetic: str) -> str:
    """The hash of a short training in an arithmetic."""
    environment = _environment(ARITHMETICS[arithmetic])
    run = subprocess.run(
        [sys.executable, "-c", REFERENCE],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=True,
    )
    return run.stdout.split()[-1]


def distinct(wanted: Iterable[str], report=print) -> list[str]:
    """Those of the arithmetics that are not the same, bit for bit, as an earlier one here."""
    seen: dict[str, str] = {}
    for name in wanted:
        before = seen.setdefault(reference(name), name)
        if before != name:
            report(f"{name}: the same bits as {before!r} on this computer; left out")
    return list(seen.values())


def measure(lesson: str, arithmetic: str, drawings: Path) -> dict[str, Any]:
    """Run one solved lesson in one arithmetic, with a cache of its own.

    Args:
        lesson: The lesson's number, such as `"05"`.
        arithmetic: One of `ARITHMETICS`.
        drawings: A folder for drawn pictures, which all runs share: no network draws them.

    Returns:
        What is stored of the run: where, what, and every claim that was made.

    Raises:
        RuntimeError: A cell failed for another reason than a claim.
    """
    path = lesson_source(lesson)
    with tempfile.TemporaryDirectory() as cache:
        Path(cache, "datasets").symlink_to(drawings, target_is_directory=True)
        outcome: Outcome = run_lesson(
            path, "", Path(cache), variables=_environment(ARITHMETICS[arithmetic])
        )
    if outcome.errors:
        raise RuntimeError(f"Lesson {lesson}, {arithmetic}: {'; '.join(outcome.errors)}")
    return {
        "lesson": lesson,
        "arithmetic": arithmetic,
        "processor": processor(),
        "source": source_hash(read_lesson(path, SOLVED)),
        "claims": [heard._asdict() for heard in outcome.heard],
    }


def stored() -> list[dict[str, Any]]:
    """All runs that are on record."""
    return json.loads(STORE.read_text(encoding="utf-8")) if STORE.is_file() else []


def keep(run: dict[str, Any]) -> None:
    """Put a run on record, in place of an earlier one of its kind and of those of older sources."""
    key = ("lesson", "arithmetic", "processor")
    runs = [
        old
        for old in stored()
        if any(old[k] != run[k] for k in key)
        and (old["lesson"] != run["lesson"] or old["source"] == run["source"])
    ]
    runs = sorted([*runs, run], key=lambda each: [each[k] for k in key])
    text = json.dumps(runs, indent=1, ensure_ascii=False) + "\n"
    if not write_atomic(STORE, lambda file: file.write(text.encode())):
        raise RuntimeError(f"{STORE} cannot be written.")


def tightest(runs: list[dict[str, Any]]) -> list[Measured]:
    """The claims that a number decides, the tightest first."""
    values: dict[tuple[str, str, int], list[dict]] = {}
    for run in runs:
        turn: dict[str, int] = {}
        for claim in run["claims"]:
            if claim["value"] is None:
                continue
            turn[claim["statement"]] = turn.get(claim["statement"], -1) + 1
            key = run["lesson"], claim["statement"], turn[claim["statement"]]
            values.setdefault(key, []).append(claim)
    found = []
    for (lesson, statement, _), claims in values.items():
        numbers = [claim["value"] for claim in claims]
        sides = [("above", 1), ("below", -1)]
        rooms = []
        for side, sign in sides:
            limit = claims[-1][side]
            if limit is not None:
                distance = sign * (statistics.median(numbers) - limit)
                least = min(sign * (number - limit) for number in numbers)
                rooms.append((least / distance if distance > 0 else -1.0, limit))
        room, limit = min(rooms)
        found.append(Measured(lesson, statement, limit, tuple(numbers), room))
    return sorted(found, key=lambda each: each.room)


def failures(runs: list[dict[str, Any]]) -> list[str]:
    """Every claim that did not hold in some run, and where."""
    return [
        f"{run['lesson']}, {run['arithmetic']}: {claim['statement']} ({claim['evidence']})"
        for run in runs
        for claim in run["claims"]
        if not claim["holds"]
    ]


def page(runs: list[dict[str, Any]]) -> str:
    """The page of the documentation that shows the tightest claims."""
    rows = [
        f"| {each.lesson} | {each.statement} | {each.limit:g} | {min(each.values):.3g} to "
        f"{max(each.values):.3g} | {len(each.values)} | {each.room:.2f} |"
        for each in tightest(runs)[:SHOWN]
    ]
    decided = len(tightest(runs))
    where = sorted({run["processor"] for run in runs})
    kinds = sorted({run["arithmetic"] for run in runs}, key=list(ARITHMETICS).index)
    made = sum(len(run["claims"]) for run in runs)
    wrong = failures(runs)
    return "\n".join(
        [
            "# How close the claims come to failing",
            "",
            "A training ends elsewhere on another processor, by nothing but rounding. So every",
            "solved lesson is run as other computers would run it (`make numerics`), and each",
            "claim is heard. This page is written by that command.",
            "",
            f"- {len(runs)} runs of {len({run['lesson'] for run in runs})} lessons; "
            f"{made} claims heard, {len(wrong)} of them did not hold.",
            f"- Arithmetics: {', '.join(kinds)}. What gives the same bits as another is left out.",
            f"- Processors: {'; '.join(where)}.",
            "",
            f"{decided} claims are decided by a number that a live run computes. *Room* is the",
            "least distance to the threshold in any run, over the distance of the median. At 1",
            "nothing varies, below 0 a claim has failed; a third is what the course asks for. The",
            f"{len(rows)} tightest:",
            "",
            "| Lesson | Claim | Threshold | Values | Runs | Room |",
            "|:--|:--|--:|:--|--:|--:|",
            *rows,
            "",
        ]
    )


def _environment(arithmetic: dict[str, str]) -> dict[str, str]:
    """Variables of a process in an arithmetic, set before TensorFlow loads."""
    folders = [str(ROOT / "tests" / "start_up"), str(ROOT), os.environ.get("PYTHONPATH")]
    cores = {"OMP_NUM_THREADS": arithmetic.get("TF_NUM_INTRAOP_THREADS", "2")}
    return {**cores, **arithmetic, "PYTHONPATH": os.pathsep.join(filter(None, folders))}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [lesson.number for lesson in LESSONS]
    parser.add_argument("--lesson", choices=known, action="append")
    parser.add_argument("--arithmetic", choices=list(ARITHMETICS), action="append")
    parser.add_argument("--report", action="store_true", help="run nothing; write the page anew")
    parser.add_argument("--at-once", type=int, default=2, help="lessons side by side (2)")
    options = parser.parse_args(arguments)
    stopped = 0
    if not options.report:
        lessons = options.lesson or known
        kinds = options.arithmetic or distinct(ARITHMETICS)
        with (
            tempfile.TemporaryDirectory() as drawings,
            ThreadPoolExecutor(options.at_once) as pool,
        ):
            running = [
                pool.submit(measure, lesson, kind, Path(drawings))
                for kind in kinds
                for lesson in lessons
            ]
            for each in as_completed(running):
                if error := each.exception():
                    stopped += 1
                    print(f"✗ {error}", flush=True)
                    continue
                run = each.result()
                keep(run)
                wrong = failures([run])
                print(f"{run['lesson']}, {run['arithmetic']}: {len(run['claims'])} claims heard")
                print("".join(f"  ✗ {each}\n" for each in wrong), end="", flush=True)
    runs = stored()
    PAGE.write_text(page(runs), encoding="utf-8")
    for each in tightest(runs)[:SHOWN]:
        print(f"{each.room:5.2f}  {each.lesson}  {each.statement}  (threshold {each.limit:g})")
    return 1 if stopped or failures(runs) else 0


if __name__ == "__main__":
    sys.exit(main())

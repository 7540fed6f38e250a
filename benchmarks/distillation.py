"""How much faster and smaller a student is than its teacher, in one run.

python benchmarks/distillation.py [--rounds 30] [--image-size 96]

Teacher and students take turns over the same pictures, so the ratios hold when the machine's speed
drifts. Memory is the peak of a process of its own that builds a network and runs a batch, beyond
what Keras itself needs. The weights are random: time and memory do not depend on their values.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np

import tlkit
from tlkit.networks.costs import peak_megabytes

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("teacher", "middling", "small", "tiny", "patches")


def build(name: str, size: int) -> keras.Model:
    """A network as lesson 06 has it."""
    if name != "teacher":
        return tlkit.student_network(name, size)
    base = tlkit.load_backbone(image_size=size, weights=None)
    head = keras.Sequential([keras.Input((1280,)), keras.layers.Dense(2, name="logits")])
    return tlkit.attach_head(base, head)


def peak(name: str, size: int, batch: int) -> float:
    """Megabytes that building it and running a batch take, in this process."""
    tiny = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    tiny.predict_on_batch(np.zeros((1, 8)))
    before = peak_megabytes()
    build(name, size).predict_on_batch(np.zeros((batch, size, size, 3), "float32"))
    return peak_megabytes() - before


def measured_alone(name: str, size: int, batch: int) -> float:
    command = [sys.executable, __file__, "--peak-of", name, "--image-size", str(size)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [*command, "--batch-size", str(batch)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--peak-of", choices=NAMES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    size, batch = options.image_size, options.batch_size
    if options.peak_of:
        print(peak(options.peak_of, size, batch))
        return

    models = {name: build(name, size) for name in NAMES}
    pictures = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3)).astype("uint8")
    seconds = {(name, count): [] for name in NAMES for count in (1, batch)}
    for turn in range(options.rounds + 1):
        for (name, count), taken in seconds.items():
            begin = time.perf_counter()
            models[name].predict_on_batch(pictures[:count])
            if turn:  # the first builds the graph
                taken.append(time.perf_counter() - begin)

    print(
        f"{size} px, median of {options.rounds} rounds; ratios are the teacher's to the student's"
    )
    print("            parameters    MB   1 picture   ratio   each of a batch   ratio")
    for name, model in models.items():
        line = f"{name:10} {model.count_params():11,} {measured_alone(name, size, batch):5.0f}"
        for count in (1, batch):
            ours, theirs = seconds[name, count], seconds["teacher", count]
            ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
            line += f"  {1000 * statistics.median(ours) / count:10.2f} ms {ratio:6.1f}"
        print(line)


if __name__ == "__main__":
    main()

"""The workshop in figures: seconds for each stage of training, and what every export costs.

python benchmarks/workshop.py [--folder PICTURES] [--train 500] [--test 300] [--image-size 224]

Without a folder it writes one, of composed people. Nothing is cached when a clock starts. The
first table holds the stages of `train_classifier`, one after another, and what a learner waits for,
reading the folder included, importing the libraries not. "auto" also says what it tried.

The second table exports the classifier that `"features"` gave: size, milliseconds for one picture,
the largest difference of a probability from Keras's, accuracy on pictures that it has not seen, in
Keras and exported, and the seconds that `predict.py` takes for one picture in a process of its own,
from starting Python on. ONNX and `predict.py` need `pip install -e ".[export]"`.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import tlkit
from tlkit.data import find_copies
from tlkit.workshop import export_formats, strategies, train_classifier
from tlkit.workshop.search import table

RUNTIME = {"onnx": "onnxruntime", "litert": "ai_edge_litert"}


def people(folder, count, size):
    """A folder of composed people as JPEG files."""
    data = tlkit.load_dataset("sunglasses-or-hat", count, size, seed=0)
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        place = folder / data.class_names[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.jpg", quality=92)
    return folder


class Clock:
    """Prints how long each stage takes, and starts it with an empty cache."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0

    def __call__(self, name, act, *arguments, empty=False):
        if empty:
            self.number += 1
            os.environ["TLKIT_CACHE"] = str(self.folder / f"cache{self.number}")
        began = time.perf_counter()
        result = act(*arguments)
        seconds = time.perf_counter() - began
        print(f"  {name:44} {seconds:6.1f} s", flush=True)
        return result, seconds


def stages(folder, options, clock):
    """Time them all; returns the data's two parts and the classifier."""
    print(f"Training on {options.train} pictures at {options.image_size} px")
    mine, reading = clock("reading the folder", tlkit.load_folder, folder, options.image_size)
    if len(mine) < options.train + 10:
        sys.exit(f"{folder} has {len(mine)} pictures only: give a smaller --train.")
    reading *= options.train / len(mine)
    train, test = mine.split(train=options.train, seed=0)
    test = test.take(min(options.test, len(test)), seed=0)
    clock("looking for copies", lambda: find_copies(train.images))
    base, _ = clock(
        "loading the network", lambda: tlkit.load_backbone(image_size=options.image_size)
    )
    images = train.images
    clock("features", lambda: strategies.features_in_pieces(base, images, [None]), empty=True)
    clock(
        "heads, fitted and cross-validated",
        lambda: strategies.on_features(train, 0, False),
    )
    for way in ("features", "auto", "fine-tune"):
        made, seconds = clock(
            f'train_classifier, "{way}"',
            lambda way=way: train_classifier(train, way, progress=False),
            empty=True,
        )
        total = f'"{way}", reading included'
        print(
            f"  {total:44} {reading + seconds:6.1f} s  ({made.about['strategy']}, "
            f"held back: {made.held_back.score}; new: {made.evaluate(test).score})",
            flush=True,
        )
        if way == "features":
            classifier = made
        if way == "auto":
            print(table(made.about["tried"]))
    return train, test, classifier


def exports(train, test, classifier, folder):
    """Every form of the classifier, and how it compares."""
    print(f"\nExported, and compared on {len(test)} pictures that it has not seen")
    print(f"  {'':30} {'MB':>5} {'ms':>6} {'difference':>11}   Keras  exported  predict.py")
    picture = folder / "one.png"
    Image.fromarray(test.images[0]).save(picture)
    forms = {
        "ONNX": ("onnx", {}),
        "LiteRT": ("litert", {}),
        "LiteRT, quantised": ("litert", {"quantised": True}),
        "LiteRT, quantised, calibrated": ("litert", {"quantised": True, "calibrate": train}),
    }
    for name, (format, how) in forms.items():
        if format not in export_formats():
            print(f"  {name:30} not exported: its packages are not installed")
            continue
        path = folder / f"model.{'onnx' if format == 'onnx' else 'tflite'}"
        made = classifier.export(path, format, test=test, **how)
        took = "no runtime"
        if importlib.util.find_spec(RUNTIME[format]):
            began = time.perf_counter()
            command = [sys.executable, str(made.script), str(picture)]
            subprocess.run(command, check=True, capture_output=True)
            took = f"{time.perf_counter() - began:.1f} s"
        print(
            f"  {name:30} {made.megabytes:5.1f} {made.milliseconds:6.1f} {made.difference:11.1e}  "
            f"{made.before.accuracy:6.1%}  {made.after.accuracy:8.1%}  {took:>10}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="a folder of your own pictures, a sub-folder per class")
    parser.add_argument("--train", type=int, default=500)
    parser.add_argument("--test", type=int, default=300, help="pictures to test on, at the most")
    parser.add_argument("--image-size", type=int, default=224)
    options = parser.parse_args()
    import sklearn.linear_model
    import sklearn.model_selection  # noqa: F401
    import tensorflow  # noqa: F401

    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        size = options.image_size
        folder = options.folder or people(place / "mine", options.train + options.test, size)
        train, test, classifier = stages(folder, options, Clock(place))
        exports(train, test, classifier, place)


if __name__ == "__main__":
    main()

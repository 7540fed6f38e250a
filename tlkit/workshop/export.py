"""Take a classifier to where Keras is not: ONNX and LiteRT files, and a script that runs them."""

import contextlib
import importlib.util
import os
import tempfile
import timeit
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlkit import checks
from tlkit.data import ImageDataset, load_dataset
from tlkit.errors import DamagedFileError, MissingFileError
from tlkit.scores import Score, score
from tlkit.workshop.files import refuse_edited, stamped, write_file
from tlkit.workshop.script import RUNTIMES, script_text

if TYPE_CHECKING:
    import keras

    from tlkit.workshop.classifier import ImageClassifier

SUFFIXES = {"onnx": ".onnx", "litert": ".tflite"}
# LiteRT comes with TensorFlow.
NEEDED = {"onnx": ("onnx", "onnxruntime", "tf2onnx"), "litert": ()}
# How far the probabilities of an exported classifier may be from those of Keras.
CLOSE = 1e-3
# Pictures at most to calibrate with, and to compare on.
CALIBRATE, COMPARE = 100, 32


def export_formats() -> tuple[str, ...]:
    """The formats that can be exported with what is installed here.

    Returns:
        `"litert"`, and `"onnx"` where its packages are.

    Example:
        >>> "litert" in export_formats()
        True
    """
    return tuple(name for name in ("litert", "onnx") if not _missing(name))


def _missing(format: str) -> list[str]:
    return [name for name in NEEDED[format] if importlib.util.find_spec(name) is None]


@dataclass(frozen=True, repr=False)
class Export:
    """An exported file, and how well it does what the Keras model does.

    Args:
        path: The file.
        script: The script that runs it; None if there is none.
        megabytes: How large the file is.
        milliseconds: How long a picture takes, one at a time (the median).
        difference: The largest difference between a probability and Keras's.
        pictures: How many pictures were compared.
        before: The Keras model's accuracy on the test pictures; None without any.
        after: The exported file's.
    """

    path: Path
    script: Path | None
    megabytes: float
    milliseconds: float
    difference: float
    pictures: int
    before: Score | None
    after: Score | None

    def __repr__(self) -> str:
        points = max(100 * self.difference, 0.01)
        lines = [
            f"{self.path.name}: {self.megabytes:.1f} MB, {self.milliseconds:.1f} ms a picture",
            f"No probability differs from Keras's by more than {points:.2g} percentage points "
            f"({self.pictures} pictures).",
        ]
        if self.before and self.after:
            lines.append(f"Accuracy in Keras {self.before}, exported {self.after}.")
        if self.script:
            lines.append(f"In its folder, run: python {self.script.name} picture.jpg")
        return "\n".join(lines)


def export(
    classifier: "ImageClassifier",
    path: str | Path,
    format: str,
    quantised: bool,
    calibrate: ImageDataset | None,
    test: ImageDataset | None,
    script: str | None,
) -> Export:
    """See `ImageClassifier.export`."""
    path = checks.path(path, SUFFIXES[checks.choice(format, SUFFIXES, "format")])
    only = "Only LiteRT files are quantised here."
    checks.demand(format == "litert" or not quantised, only, 'Use format="litert".')
    only = "Only quantised files are calibrated."
    checks.demand(quantised or calibrate is None, only, "Use quantised=True, or no `calibrate`.")
    place = None if script is None else _place(path, script)
    if missing := _missing(format):
        raise MissingFileError(
            f"To export to {format}, packages are missing: {', '.join(missing)}.",
            f"Run: pip install {' '.join(missing)}",
        )
    if calibrate is not None:
        calibrate = classifier.pictures(_some(calibrate, CALIBRATE))
    if test is not None:
        test = classifier.matching(test)
    photos = load_dataset("photos", image_size=classifier.image_size)
    images = _some(photos if test is None else test, COMPARE)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"model{path.suffix}"
        _convert(classifier.model, made, format, quantised, calibrate)
        content = made.read_bytes()
    with _quiet():
        one = RUNTIMES[format][0](content)

    def run(pictures: np.ndarray) -> np.ndarray:
        return np.concatenate([one(picture[None]) for picture in pictures.astype("float32")])

    difference = float(np.abs(run(images) - classifier.predict(images)).max())
    if not quantised and not difference <= CLOSE:
        raise DamagedFileError(
            f"The exported file's probabilities differ from Keras's by {difference:.2g}.",
            "Nothing was written. Update the converter, or export to the other format.",
        )
    before = after = None
    if test is not None:
        before = score(test.labels, classifier.predict(test.images))
        after = score(test.labels, run(test.images))
    seconds = timeit.repeat(lambda: run(images[:1]), number=1, repeat=20)
    write_file(path, content, "exported classifier")
    if place is not None:
        text = script_text(
            path.name,
            format,
            classifier.class_names,
            classifier.image_size,
            classifier.about.get("white"),
        )
        write_file(place, stamped(text).encode(), "script")
    return Export(
        path,
        place,
        megabytes=len(content) / 1e6,
        milliseconds=1000 * float(np.median(seconds)),
        difference=difference,
        pictures=len(images),
        before=before,
        after=after,
    )


def _place(path: Path, script: str) -> Path:
    """Where the script goes, if nothing is lost there."""
    name = checks.path(script, ".py").name
    checks.demand(name == script, f"`script` is {script!r}.", "Give a name without a folder.")
    place = path.with_name(name)
    refuse_edited(place)
    checks.demand(
        not os.path.exists(place) or repr(path.name) in place.read_text(encoding="utf-8"),
        f"{place.name!r} runs another file.",
        f"Give this script a name of its own, such as predict_{path.stem}.py.",
    )
    return place


def _some(data: ImageDataset, n: int) -> np.ndarray:
    """Some pictures, of all classes."""
    return data.take(min(n, len(checks.dataset(data))), of_each=0).images


def _convert(
    model: "keras.Model", made: Path, format: str, quantised: bool, calibrate: np.ndarray | None
) -> None:
    """From pictures (N, H, W, 3) to probabilities, with batch norm folded away."""
    import keras

    from tlkit.networks.folding import fold_batch_norm

    inputs = keras.Input(model.input_shape[1:], name="pictures")
    whole = keras.Model(inputs, keras.layers.Softmax()(fold_batch_norm(model)(inputs)))
    # ONNX wants it to have run once.
    whole(np.zeros((1, *model.input_shape[1:]), "float32"))
    options = {}
    if quantised:
        import tensorflow as tf

        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
    if calibrate is not None:
        options["representative_dataset"] = lambda: (
            [image[None].astype("float32")] for image in calibrate
        )
    with _quiet():
        whole.export(made, format=format, verbose=False, **options)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the converters write, in C++ past Python, from the page."""
    kept = [os.dup(number) for number in (1, 2)]
    with open(os.devnull, "wb") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for number in (1, 2):
                os.dup2(nowhere.fileno(), number)
            yield
        finally:
            for number, old in zip((1, 2), kept, strict=True):
                os.dup2(old, number)
                os.close(old)

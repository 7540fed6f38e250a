"""Take a classifier to where Keras is not: ONNX and LiteRT files, and a script that runs them."""

import contextlib
import importlib.util
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import DamagedFileError, InputError, MissingFileError
from tlkit.scores import Score, score
from tlkit.workshop.files import write_file

if TYPE_CHECKING:
    import keras

SUFFIXES = {"onnx": ".onnx", "litert": ".tflite"}
NEEDED = {"onnx": ("onnx", "onnxruntime", "tf2onnx"), "litert": ()}  # TensorFlow has the latter
CLOSE = 1e-3  # how far the probabilities of an exported classifier may be from those of Keras
CALIBRATE = 100  # pictures at most
MARK = '"""Made by tlkit: say what is on pictures.'

_ONNX = """\
{mark} Needs: pip install numpy pillow onnxruntime\"\"\"
import sys
import numpy as np
from onnxruntime import InferenceSession
from PIL import Image, ImageOps
model = InferenceSession(f"{{sys.path[0]}}/{file}")
for path, image in ((path, ImageOps.exif_transpose(Image.open(path))) for path in sys.argv[1:]):
    image = image.point(lambda grey: grey / 257) if image.mode[0] == "I" else image  # 16 bits to 8
    image = ImageOps.fit(image.convert("RGBA"), ({size}, {size}), Image.Resampling.LANCZOS)
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    shares = model.run(None, {{"pictures": np.asarray(image, "float32")[None]}})[0][0]
    print(path, *(f"{{name}} {{share:.1%}}" for name, share in zip({names}, shares)), sep="  ")
"""
_LITERT = """\
{mark} Needs: pip install numpy pillow ai-edge-litert\"\"\"
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps
run = Interpreter(f"{{sys.path[0]}}/{file}").get_signature_runner()
for path, image in ((path, ImageOps.exif_transpose(Image.open(path))) for path in sys.argv[1:]):
    image = image.point(lambda grey: grey / 257) if image.mode[0] == "I" else image  # 16 bits to 8
    image = ImageOps.fit(image.convert("RGBA"), ({size}, {size}), Image.Resampling.LANCZOS)
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    [[shares]] = run(pictures=np.asarray(image, "float32")[None]).values()
    print(path, *(f"{{name}} {{share:.1%}}" for name, share in zip({names}, shares)), sep="  ")
"""


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
        lines = [
            f"{self.path.name}: {self.megabytes:.1f} MB, {self.milliseconds:.1f} ms a picture",
            f"Probabilities differ from Keras's by {self.difference:.1g} at most "
            f"({self.pictures} pictures).",
        ]
        if self.before and self.after:
            lines.append(f"Accuracy in Keras {self.before}, exported {self.after}.")
        if self.script:
            lines.append(f"Run it with {self.script.name}.")
        return "\n".join(lines)


def export(
    classifier: Any,
    path: str | Path,
    format: str,
    quantised: bool,
    calibrate: ImageDataset | None,
    test: ImageDataset | None,
    script: str | None,
) -> Export:
    """See `ImageClassifier.export`."""
    if format not in SUFFIXES:
        raise InputError(f"There is no format {format!r}.", 'Use "onnx" or "litert".')
    path = Path(path).expanduser()
    if path.suffix != SUFFIXES[format]:
        raise InputError(
            f"{path.name!r} does not end in {SUFFIXES[format]}, as {format} files do.",
            f"Call it {path.stem or 'model'}{SUFFIXES[format]}.",
        )
    if quantised and format != "litert":
        raise InputError("Only LiteRT files are quantised here.", 'Use format="litert".')
    if missing := _missing(format):
        raise MissingFileError(
            f"To export to {format}, packages are missing: {', '.join(missing)}.",
            f"Run: pip install {' '.join(missing)}",
        )
    place = None if script is None else path.with_name(script)
    refuse_others(place, MARK)
    images = _to_compare(classifier, test, calibrate)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"model{path.suffix}"
        _convert(classifier.model, made, format, quantised, calibrate)
        run = open_exported(made)
        exported = run(images)
        keras_says = classifier.predict(images)
        difference = float(np.abs(exported - keras_says).max())
        if not quantised and not difference <= CLOSE:
            raise DamagedFileError(
                f"The exported file's probabilities differ from Keras's by {difference:.2g}.",
                "Nothing was written. Update the converter, or export to the other format.",
            )
        milliseconds = _latency(run, images[:1])
        before = after = None
        if test is not None:
            before = score(test.labels, classifier.predict(test.images))
            after = score(test.labels, run(test.images))
        content = made.read_bytes()
    write_file(path, lambda file: file.write(content), "exported classifier")
    if place is not None:
        text = script_text(classifier, path.name, format)
        write_file(place, lambda file: file.write(text.encode()), "script")
    size = len(content) / 1e6
    return Export(path, place, size, milliseconds, difference, len(images), before, after)


def script_text(classifier: Any, file: str, format: str) -> str:
    """The script that runs an exported file without Keras."""
    template = {"onnx": _ONNX, "litert": _LITERT}[format]
    file = file.replace("\\", "\\\\").replace('"', '\\"').replace("{", "{{").replace("}", "}}")
    names = list(classifier.class_names)
    return template.format(mark=MARK, file=file, size=classifier.image_size, names=names)


def refuse_others(path: Path | None, mark: str) -> None:
    """Refuse to write over a file that tlkit did not make."""
    if path is not None and path.exists():
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.read_text(encoding="utf-8").startswith(mark):
                return
        raise InputError(
            f"There is a file {path.name!r} already, and tlkit did not make it.",
            "Move it away, or choose another name.",
        )


def _to_compare(classifier: Any, *sets: ImageDataset | None) -> np.ndarray:
    """Pictures of the user if there are any, else noise, coarse and fine."""
    size = classifier.image_size
    for data in sets:
        if data is not None:
            return classifier.pictures(data.images[:32])
    random = np.random.default_rng(0)
    noise = []
    for side in (1, 2, 4, 8):
        coarse = random.integers(0, 256, (2, side, side, 3), np.uint8)
        often = -(-size // side)
        noise.append(coarse.repeat(often, axis=1).repeat(often, axis=2)[:, :size, :size])
    return np.concatenate(noise)


def _convert(
    model: "keras.Model", made: Path, format: str, quantised: bool, calibrate: ImageDataset | None
) -> None:
    """From pictures (N, H, W, 3) to probabilities, with batch norm folded away."""
    import keras

    from tlkit.networks.folding import fold_batch_norm

    inputs = keras.Input(model.input_shape[1:], name="pictures")
    whole = keras.Model(inputs, keras.layers.Softmax(name="shares")(fold_batch_norm(model)(inputs)))
    whole(np.zeros((1, *model.input_shape[1:]), "float32"))  # ONNX wants it to have run once
    options = {}
    if quantised:
        import tensorflow as tf

        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
        if calibrate is not None:
            some = calibrate.images[:CALIBRATE].astype("float32")
            options["representative_dataset"] = lambda: ([each[None]] for each in some)
    with _quiet():
        whole.export(made, format=format, verbose=False, **options)


def open_exported(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pictures (N, H, W, 3) to what an exported file says of them."""
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        return lambda images: np.concatenate(
            [
                session.run(None, {"pictures": images[at : at + 32].astype("float32")})[0]
                for at in range(0, len(images), 32)
            ]
        )
    with _quiet():
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            import tensorflow as tf

            Interpreter = tf.lite.Interpreter  # the same, on its way out of TensorFlow
        interpreter = Interpreter(model_content=path.read_bytes())
        interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def one(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(into["index"], image[None].astype("float32"))
        interpreter.invoke()
        return interpreter.get_tensor(out["index"])[0]

    return lambda images: np.stack([one(image) for image in images])


def _latency(run: Callable, image: np.ndarray) -> float:
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        run(image)
        seconds.append(time.perf_counter() - began)
    return 1000 * float(np.median(seconds))


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

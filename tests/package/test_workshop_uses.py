"""Hostile uses of the workshop: whatever is passed, it is right, or there is a clear error."""

import contextlib
import io
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image
from threadpoolctl import threadpool_limits

import tlkit
from tests.package.hostile import assert_right_or_refused, datasets, or_anything, texts
from tests.package.tiny_workshop import SIZE, pictures, tiny_backbone
from tlkit import finetuning
from tlkit.networks import backbones
from tlkit.scores import score
from tlkit.workshop import (
    Attempts,
    ImageClassifier,
    Recommendation,
    recommendation,
    search,
    strategies,
)
from tlkit.workshop.app_page import Workshop
from tlkit.workshop.command import main

PLACE = Path(tempfile.mkdtemp(prefix="tlkit-uses-"))

good_pictures = st.sampled_from(
    [
        pictures(seed=9).images[:3],
        pictures(seed=9).images[0],
        pictures(seed=9, size=64).images[:2].astype("float32"),
        str(PLACE / "good.png"),
        [PLACE / "good.png", str(PLACE / "good.png")],
        [PLACE / "good.png", 3],
        PLACE / "words.png",
        PLACE,
    ]
)


def files(*endings):
    """Paths that can be written, and paths that cannot."""
    names = [f"{name}{ending}" for name in ("m", "кот", "a b") for ending in endings]
    good = [PLACE / "out" / name for name in names]
    bad = [PLACE / "none" / "m.txt", PLACE / "good.png" / names[0], PLACE / "out" / "m", PLACE]
    return st.sampled_from(good) | st.sampled_from([*good, *bad])


# --- what comes of it ---


def trained(made: ImageClassifier) -> None:
    judged, images = made.held_back, pictures(seed=9).images[:2]
    assert judged.confusion.sum() >= 2 and 0 <= judged.interval[0] <= judged.interval[1] <= 1
    if made.image_size == SIZE:
        probable(made.predict(images))
    assert made.card() and repr(made) and judged.draw().alt


def probable(found: np.ndarray) -> None:
    assert found.ndim == 2 and len(found) and np.allclose(found.sum(axis=1), 1)


def drawn(figure: Figure) -> None:
    assert isinstance(figure, Figure) and figure.alt


CLASSIFIER: list[ImageClassifier] = []


def of_classifier(name):
    return lambda **given: getattr(CLASSIFIER[0], name)(**given)


def attempt(name, labels, predictions, seconds):
    attempts = Attempts()
    attempts.run(name, lambda: predictions, labels)
    attempts.add_score(name, score(labels, predictions), seconds)
    assert len(attempts.rows) == 1 and repr(attempts) and attempts.draw().alt


def program(class_name, contents, strategy):
    shop = Workshop()
    blue = [(path.name, path.read_bytes()) for path in (PLACE / "folder" / "b").iterdir()]
    shop.add("blue", blue)
    read = [each if isinstance(each, bytes) else each.read_bytes() for each in contents]
    shop.add(class_name, [(f"{number}.png", each) for number, each in enumerate(read)])
    shop.train(strategy=strategy)


def command(arguments):
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main(arguments)
    # argparse's own way to refuse.
    except SystemExit as end:
        code = end.code
    assert code in (0, 1, 2), (code, arguments)


data, seeds = or_anything(datasets()), or_anything(st.integers(0, 9))
paths = [
    str(PLACE / name) for name in ("folder", "m.keras", "good.png", "words.png", "none", "new")
]
USED = {
    "train_classifier": (
        tlkit.train_classifier,
        {
            "dataset": data,
            "strategy": or_anything(st.sampled_from([*strategies.STRATEGIES])),
            "seed": seeds,
            "progress": st.sampled_from([True, False, None]),
            "copies": or_anything(st.sampled_from(strategies.COPIES)),
            "minutes": or_anything(st.sampled_from([0.01, 1])),
        },
        trained,
    ),
    "compare_backbones": (
        tlkit.workshop.compare_backbones,
        {
            "dataset": data,
            "names": or_anything(st.just(["tiny"])),
            "image_sizes": or_anything(st.just([32])),
            "seed": seeds,
        },
        lambda found: isinstance(found, Attempts) and repr(found),
    ),
    "recommend": (
        tlkit.recommend,
        {"dataset": data, "seed": seeds},
        lambda found: isinstance(found, Recommendation) and repr(found),
    ),
    "predict": (of_classifier("predict"), {"images": or_anything(good_pictures)}, probable),
    "evaluate": (
        of_classifier("evaluate"),
        {"test": or_anything(datasets(named=True))},
        lambda found: found.score and repr(found) and found.show_mistakes(),
    ),
    "explain": (
        of_classifier("explain"),
        {
            "image": or_anything(good_pictures),
            "class_name": or_anything(st.sampled_from(["red", "blue", None])),
        },
        drawn,
    ),
    "card": (of_classifier("card"), {"path": or_anything(files(".md"))}, len),
    "save": (of_classifier("save"), {"path": or_anything(files(".keras"))}, Path.is_file),
    "load": (ImageClassifier.load, {"path": or_anything(files(".keras"))}, trained),
    "export": (
        of_classifier("export"),
        {
            "path": or_anything(files(".tflite") | files(".onnx")),
            "format": or_anything(st.sampled_from(["litert", "onnx"])),
            "quantised": st.booleans(),
            "calibrate": st.none() | st.none() | data,
            "test": st.none() | or_anything(datasets(named=True)),
            "script": st.none() | or_anything(st.sampled_from(["predict.py", "run.py"])),
        },
        lambda made: made.path.is_file() and repr(made),
    ),
    "show_mistakes": (
        lambda n: CLASSIFIER[0].held_back.show_mistakes(n),
        {"n": or_anything(st.integers(1, 30))},
        drawn,
    ),
    "Attempts": (
        attempt,
        {
            "name": or_anything(texts),
            "labels": or_anything(st.just([0, 1, 1])),
            "predictions": or_anything(st.just([0, 1, 0])),
            "seconds": or_anything(st.floats(0, 9)),
        },
        lambda _: True,
    ),
    "app": (
        program,
        {
            "class_name": texts,
            "contents": st.lists(
                st.sampled_from([b"", b"words", *((PLACE / f"{n}.png") for n in range(4))]),
                max_size=5,
            ),
            "strategy": or_anything(st.just("features")),
        },
        lambda _: True,
    ),
    "command": (
        command,
        {
            "arguments": st.lists(
                st.sampled_from(
                    [
                        "train",
                        "predict",
                        "evaluate",
                        "export",
                        "diagnose",
                        "--out",
                        "--strategy",
                        "features",
                        "--image-size",
                        "32",
                        "--seed",
                        "--test",
                        "--script",
                        *paths,
                    ]
                )
                | st.sampled_from(["", "-1", "\ud800", "~nobody/x"]),
                max_size=6,
            )
            | st.builds(
                lambda first, *rest: [*first, *rest],
                st.sampled_from(
                    [
                        ["train", "--image-size", "32", "--strategy", "features", "--out"],
                        ["predict"],
                        ["evaluate"],
                        ["export", "--out"],
                        ["diagnose"],
                    ]
                ),
                st.sampled_from([*paths, str(PLACE / "new.tflite"), str(PLACE / "new.keras")]),
                st.sampled_from(paths),
            )
        },
        lambda _: True,
    ),
}


@pytest.fixture(scope="module", autouse=True)
def workshop():
    """A tiny network, built once for each size, and a few files."""
    made = {}

    def load(*_names, image_size=SIZE, **_options):
        if image_size not in made:
            base = tiny_backbone(image_size=image_size)
            x = base.get_layer("features_conv").output
            for name in recommendation.LAYERS:
                x = keras.layers.Identity(name=name)(x)
            made[image_size] = keras.Model(base.input, x, name="tiny")
        return made[image_size]

    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setattr(backbones, "load_backbone", load)
        patch.setattr(strategies, "FROM_LAYER", "features")
        patch.setattr(search, "MIDDLE", "stem")
        patch.setattr(finetuning, "FEWEST_STEPS", 2)
        patch.setattr(finetuning, "MOST_STEPS", 3)
        patch.setenv("TLKIT_CACHE", str(PLACE / "cache"))
        patch.chdir(PLACE)
        (PLACE / "out").mkdir(exist_ok=True)
        (PLACE / "words.png").write_text("words")
        for number, image in enumerate(pictures().images[:4]):
            Image.fromarray(image).save(PLACE / f"{number}.png")
        Image.fromarray(pictures().images[0]).save(PLACE / "good.png")
        for label, image in zip(pictures().labels, pictures().images, strict=True):
            folder = PLACE / "folder" / "ab"[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{len(list(folder.iterdir()))}.png")
        CLASSIFIER[:] = [tlkit.train_classifier(pictures(), "features")]
        CLASSIFIER[0].save(PLACE / "m.keras")
        yield


@pytest.mark.parametrize("name", USED)
def test_whatever_is_passed_it_is_right_or_there_is_a_clear_error(name):
    assert_right_or_refused(name, *USED[name])

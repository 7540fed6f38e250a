"""Whatever lies in a folder: a classifier or a clear error, and no file of the user's changes."""

import hashlib
import io
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers
from PIL import Image
from threadpoolctl import threadpool_limits

from tlkit import load_folder
from tlkit.errors import TlkitError
from tlkit.networks import backbones
from tlkit.workshop import train_classifier
from tlkit.workshop.command import main

SIZE = 32
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
MODES = ("RGB", "L", "RGBA", "P", "1", "LA", "I;16")
SIDES = (1, 2, 7, 31, 32, 64, 200)
NAMES = st.sampled_from(
    [
        "cat",
        "dog",
        "Katze 1",
        "ünïcödé",
        "狗",
        "a'b",
        "semi;colon",
        "{braces}",
        "100%",
        "-dash",
        "con",
    ]
)
RUBBISH = st.sampled_from(
    [b"", b"words", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\0"]
)


def tiny_backbone(image_size=SIZE, **_options):
    """Built once: what is tested here is all that comes before the network and after it."""
    if image_size not in _BUILT:
        inputs = keras.Input((image_size, image_size, 3), name="pictures")
        x = layers.Rescaling(1 / 128, offset=-1)(inputs)
        x = layers.Conv2D(4, 8, strides=8, name="features")(x)
        _BUILT[image_size] = keras.Model(inputs, x, name="tiny")
    return _BUILT[image_size]


_BUILT: dict = {}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(backbones, "load_backbone", tiny_backbone)


@st.composite
def files(draw):
    """A file's name and content: a picture of any kind, a damaged one, or none at all."""
    kind = draw(st.sampled_from(["picture"] * 6 + ["cut", "changed", "rubbish"]))
    ending = draw(st.sampled_from([".png", ".jpg", ".JPEG", "", ".txt", ".gif", ". .bmp"]))
    name = f"{draw(NAMES)}{draw(st.integers(0, 999))}{ending}"
    if kind == "rubbish":
        return name, draw(RUBBISH)
    mode, form = draw(st.sampled_from(MODES)), draw(st.sampled_from(FORMATS))
    width, height = draw(st.sampled_from(SIDES)), draw(st.sampled_from(SIDES))
    rng = np.random.default_rng(draw(st.integers(0, 30)))  # few, so that some are copies
    if mode == "I;16":
        picture, form = Image.fromarray(rng.integers(0, 65536, (height, width), np.uint16)), "PNG"
    else:
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        picture = Image.fromarray(pixels).convert(mode)
    if form in ("JPEG", "BMP", "WEBP") and mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, form)
    content = bytearray(file.getvalue())
    if kind == "cut":
        content = content[: draw(st.integers(0, len(content)))]
    elif kind == "changed":
        for place in rng.integers(0, len(content), 5):
            content[place] ^= 0x55
    return name, bytes(content)


def folders():
    """Anything, from no class at all; and, as often, what might well be enough to learn from."""
    anything = st.dictionaries(NAMES, st.lists(files(), max_size=8), max_size=3)
    fuller = st.dictionaries(
        NAMES, st.lists(files(), min_size=4, max_size=8), min_size=2, max_size=3
    )
    return anything | fuller


def write(root: Path, contents: dict) -> None:
    for class_name, inside in contents.items():
        (root / class_name).mkdir()
        for name, content in inside:
            (root / class_name / name).write_bytes(content)


def state(root: Path) -> dict:
    """Every file with its content and its times."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), os.stat(path).st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def a_result_or_a_clear_error(contents: dict) -> bool:
    """Train on such a folder; returns whether a classifier came of it."""
    # Small fits are done before a second thread has woken.
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1):
        root = Path(place) / "mine"
        root.mkdir()
        write(root, contents)
        before = state(root)
        try:
            data = load_folder(root, image_size=SIZE)
            classifier = train_classifier(data, "features", progress=False)
        except TlkitError as error:  # and nothing else
            assert len(str(error)) > 20 and error.what and error.mend
            classifier = None
        if classifier is not None:
            judged = classifier.held_back
            assert 0 <= judged.interval[0] <= judged.accuracy <= judged.interval[1] <= 1
            assert 4 <= judged.confusion.sum() <= len(data)
            np.testing.assert_allclose(classifier.predict(data.images).sum(axis=1), 1, atol=1e-6)
            assert classifier.card() and repr(classifier)
        assert state(root) == before
        return classifier is not None


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(folders())
def test_a_folder_gives_a_result_or_a_clear_error(contents):
    a_result_or_a_clear_error(contents)


# A minute or two: with the long tests.
@pytest.mark.lessons
def test_five_hundred_folders():
    outcomes = []

    @settings(
        max_examples=500,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(folders())
    def run(contents):
        outcomes.append(a_result_or_a_clear_error(contents))

    run()
    share = np.mean(outcomes)
    assert len(outcomes) >= 450 and 0.05 < share < 0.95, f"{len(outcomes)} folders, {share:.0%}"


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(folders())
def test_the_command_ends_with_a_code_whatever_there_is(contents):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "mine"
        root.mkdir()
        write(root, contents)
        before = state(root)
        out = Path(place) / "model.keras"
        command = ["train", str(root), "--out", str(out), "--strategy", "features"]
        code = main([*command, "--image-size", str(SIZE)])
        assert code in (0, 2) and out.exists() == (code == 0) and state(root) == before

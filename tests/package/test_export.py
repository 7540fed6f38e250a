"""A classifier taken elsewhere: the same predictions, and a script that reads as it does."""

import importlib.util
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tlkit
from tests.package.tiny_workshop import pictures
from tlkit.errors import InputError, MissingFileError
from tlkit.workshop import Export, ImageClassifier, export, train_classifier
from tlkit.workshop.export import SUFFIXES

pytestmark = pytest.mark.usefixtures("tiny")


FORMATS = [
    "litert",
    pytest.param(
        "onnx",
        marks=pytest.mark.skipif(
            "onnx" not in tlkit.workshop.export_formats(),
            reason="needs onnx, onnxruntime and tf2onnx",
        ),
    ),
]
RUNTIME = {"litert": "ai_edge_litert", "onnx": "onnxruntime"}


def run_script(script, *arguments, alone=True):
    """Run a script where there is no tlkit, Keras or TensorFlow; skip if its runtime is missing."""
    runtime = (
        "onnxruntime" if "onnxruntime" in script.read_text(encoding="utf-8") else "ai_edge_litert"
    )
    if importlib.util.find_spec(runtime) is None:
        pytest.skip(f"the script needs {runtime}")
    # What Python imports by itself before a script: this makes three names impossible to import.
    start_up = script.parent / "start_up"
    start_up.mkdir(exist_ok=True)
    forbid = "import sys\nsys.modules.update(tlkit=None, keras=None, tensorflow=None)\n"
    (start_up / "sitecustomize.py").write_text(forbid)
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(start_up)},
        cwd=Path.home(),
    )


def told(run):
    """The probability of red on each line that a script printed."""
    return [float(line.split("red ")[1].split("%")[0]) / 100 for line in run.stdout.splitlines()]


@pytest.mark.parametrize("format", FORMATS)
def test_exported_it_predicts_the_same_and_runs_without_keras(classifier, tmp_path, format, capfd):
    test = pictures(seed=9)
    made = classifier.export(tmp_path / f'it\'s a "modèle"{SUFFIXES[format]}', format, test=test)
    assert made.difference < 1e-3 and made.before == made.after and made.path.is_file()
    written = capfd.readouterr()
    assert not written.err and not written.out
    Image.fromarray(test.images[0]).resize((90, 60)).save(tmp_path / "wide.png")
    alone = run_script(made.script, tmp_path / "wide.png")
    assert alone.returncode == 0 and "Traceback" not in alone.stderr
    np.testing.assert_allclose(
        told(alone), classifier.predict(tmp_path / "wide.png")[:, 0], atol=1e-3
    )


@pytest.mark.parametrize("format", FORMATS)
def test_the_script_says_how_it_is_run_and_what_it_cannot_read(classifier, tmp_path, format):
    made = classifier.export(tmp_path / f"m{SUFFIXES[format]}", format)
    assert "python" in repr(made) and "predict.py" in repr(made)
    bare = run_script(made.script)
    assert bare.returncode == 1 and "predict.py picture.jpg" in bare.stderr
    (tmp_path / "notes.png").write_text("words")
    Image.fromarray(pictures().images[0]).save(tmp_path / "good.png")
    some = run_script(made.script, "mispelt.png", tmp_path / "notes.png", tmp_path / "good.png")
    assert some.returncode == 1 and "Traceback" not in some.stderr
    assert "mispelt.png cannot be used: there is no such file." in some.stderr
    assert "notes.png cannot be used: not a picture" in some.stderr
    assert [line.split("  ")[0] for line in some.stdout.splitlines()] == [
        str(tmp_path / "good.png")
    ]


def odd_pictures(folder):
    """Files that Pillow and a careless script see differently."""
    random = np.random.default_rng(0)
    grey = np.clip(120 + random.normal(0, 40, (64, 64)), 0, 255)
    Image.fromarray((grey * 257).astype("uint16")).save(folder / "16 bits.png")
    Image.fromarray((grey / 255).astype("float32")).save(folder / "floats to 1.tif")
    Image.fromarray(grey.astype("float32")).save(folder / "floats to 255.tif")
    Image.fromarray((grey * 1000).astype("int32")).save(folder / "32 bits.tif")
    write_big_endian(folder / "big-endian.tif", (grey * 257).astype(">u2"))
    colour = Image.fromarray(pictures((1, 0), size=64, seed=7).images[0])
    see_through = colour.convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize((64, 64)))
    see_through.save(folder / "alpha.png")
    colour.quantize(16).save(folder / "palette.png", transparency=0)
    colour.resize((900, 700)).convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6
    halves = np.zeros((64, 96, 3), "uint8")
    halves[:, :48] = 255, 0, 0
    Image.fromarray(halves).save(folder / "turned.jpg", exif=exif, quality=95)
    return sorted(folder.iterdir())


def write_big_endian(path, values):
    """A grey TIFF of big-endian 16 bits, which Pillow reads and does not write."""
    data, (height, width) = values.tobytes(), values.shape
    tags = [
        (256, 3, width << 16),
        (257, 3, height << 16),
        (258, 3, 16 << 16),
        (259, 3, 1 << 16),
        (262, 3, 1 << 16),
        (273, 4, 8),
        (277, 3, 1 << 16),
        (278, 3, height << 16),
        (279, 4, len(data)),
    ]
    head = b"MM\0*" + struct.pack(">I", 8 + len(data))
    entries = b"".join(struct.pack(">HHII", tag, kind, 1, value) for tag, kind, value in tags)
    path.write_bytes(head + data + struct.pack(">H", len(tags)) + entries + bytes(4))


def test_the_script_reads_odd_pictures_as_the_classifier_does(classifier, tmp_path):
    made = classifier.export(tmp_path / "model.tflite", "litert")
    (tmp_path / "odd").mkdir()
    paths = odd_pictures(tmp_path / "odd")
    found = told(run_script(made.script, *paths))
    np.testing.assert_allclose(found, classifier.predict(paths)[:, 0], atol=1e-3)
    assert len(found) == len(paths) == 9


def test_twelve_bits_in_sixteen_have_the_white_of_the_folder_everywhere(tmp_path):
    random = np.random.default_rng(0)
    for name, level in (("dark", 600), ("red", 3000)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(6):
            grey = np.clip(level + random.normal(0, 200, (40, 40)), 0, 4095).astype("uint16")
            Image.fromarray(grey).save(tmp_path / "mine" / name / f"{number}.png")
    data = tlkit.load_folder(tmp_path / "mine", image_size=32)
    trained = train_classifier(data, "features")
    # Alone, this one would pass for a picture of ten bits, which is bright.
    dark = tmp_path / "mine" / "dark" / "0.png"
    np.testing.assert_array_equal(trained.pictures(dark)[0], data.images[0])
    loaded = ImageClassifier.load(trained.save(tmp_path / "m.keras"))
    np.testing.assert_array_equal(loaded.pictures(dark)[0], data.images[0])
    made = loaded.export(tmp_path / "m.tflite", "litert")
    np.testing.assert_allclose(
        told(run_script(made.script, dark)), loaded.predict(dark)[:, 1], atol=1e-3
    )


def test_classes_are_compared_by_name_wherever_pictures_come_with_labels(classifier, tmp_path):
    test = pictures(seed=9)
    turned = tlkit.ImageDataset(test.images, 1 - test.labels, ("blue", "red"))
    reds = tlkit.ImageDataset(test.images[:14], [1] * 14, ("green", "red"))
    large = tlkit.ImageDataset(test.images.repeat(2, 1).repeat(2, 2), test.labels, test.class_names)
    for same in (turned, reds, large):
        made = classifier.export(tmp_path / "m.tflite", "litert", test=same)
        assert made.before == made.after == classifier.evaluate(same).score
        assert made.before.accuracy > 0.9
    unknown = tlkit.ImageDataset(test.images, test.labels, ("red", "wolf"))
    with pytest.raises(InputError, match="knows no class 'wolf'"):
        classifier.export(tmp_path / "m.tflite", "litert", test=unknown)


def test_calibrating_takes_pictures_of_all_classes(classifier, tmp_path, monkeypatch):
    data, taken = pictures((150, 5)), []
    monkeypatch.setattr(export, "_convert", lambda *given: taken.append(given[-1]) or (1 / 0))
    with pytest.raises(ZeroDivisionError):
        classifier.export(tmp_path / "m.tflite", "litert", quantised=True, calibrate=data)
    rare = data.images[150:].reshape(5, -1)
    assert len(taken[0]) == 100
    assert any((row == rare).all(axis=1).any() for row in taken[0].reshape(100, -1))


def test_quantised_it_is_smaller_and_tells_what_it_costs(classifier, tmp_path):
    test = pictures(seed=9)
    whole = classifier.export(tmp_path / "a.tflite", "litert", script=None)
    small = classifier.export(
        tmp_path / "b.tflite", "litert", quantised=True, calibrate=pictures(), test=test
    )
    assert whole.script is None and small.before and small.after
    assert abs(small.before.accuracy - small.after.accuracy) < 0.2 and "Accuracy" in repr(small)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"path": "m.zip", "format": "zip"}, "no format 'zip'"),
        ({"path": "m.onnx", "format": "litert"}, "does not end in .tflite"),
        ({"path": "m.onnx", "quantised": True}, "Only LiteRT"),
        ({"path": "m.tflite", "format": "litert", "calibrate": 1}, "Only quantised files"),
        (
            {"path": "m.tflite", "format": "litert", "test": "pictures/"},
            "str is no set of pictures",
        ),
    ],
)
def test_exports_that_cannot_be(classifier, tmp_path, arguments, words):
    with pytest.raises(InputError, match=words):
        classifier.export(**{**arguments, "path": tmp_path / arguments["path"]})
    assert not list(tmp_path.glob("m.*"))


def test_packages_that_are_missing_are_named(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert tlkit.workshop.export_formats() == ("litert",)
    with pytest.raises(MissingFileError, match="pip install onnx onnxruntime tf2onnx"):
        classifier.export(tmp_path / "m.onnx")


def test_a_script_is_written_over_only_if_nothing_is_lost(classifier, tmp_path):
    script = tmp_path / "predict.py"
    classifier.export(tmp_path / "first.tflite", "litert")
    # The same again replaces its own script; another file's stays.
    classifier.export(tmp_path / "first.tflite", "litert")
    with pytest.raises(InputError, match=r"runs another file.*predict_second\.py"):
        classifier.export(tmp_path / "second.tflite", "litert")
    assert "first.tflite" in script.read_text() and not (tmp_path / "second.tflite").exists()
    for edited in (script.read_text().replace("{share:.1%}", "{share:.3%}"), "print('mine')"):
        script.write_text(edited)
        with pytest.raises(InputError, match="was edited, or is none of tlkit's"):
            classifier.export(tmp_path / "first.tflite", "litert")
        assert script.read_text() == edited


@pytest.mark.parametrize("script", ["../predict.py", "m.tflite", "sub/predict.py", "", 3])
def test_a_script_has_a_name_of_its_own(classifier, tmp_path, script):
    with pytest.raises(InputError):
        classifier.export(tmp_path / "m.tflite", "litert", script=script)


def test_differences_are_told_in_percentage_points(classifier):
    made = Export(Path("m.tflite"), None, 1, 1, 0.2, 8, None, None)
    assert "by more than 20 percentage points (8 pictures)" in repr(made)
    assert "by more than 0.01 percentage points" in repr(replace(made, difference=1e-7))

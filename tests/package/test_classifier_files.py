"""One file that holds a classifier; what is damaged, hostile or edited."""

import io
import json
import os
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from tests.package.tiny_workshop import pictures
from tlkit.errors import DamagedFileError, InputError, MissingFileError
from tlkit.workshop import ImageClassifier
from tlkit.workshop import files as model_files
from tlkit.workshop.command import main

pytestmark = pytest.mark.usefixtures("tiny")


def test_saved_and_loaded_it_is_the_same(classifier, tmp_path):
    path = classifier.save(tmp_path / "model.keras")
    loaded, images = ImageClassifier.load(path), pictures(seed=9).images
    np.testing.assert_allclose(loaded.predict(images), classifier.predict(images), atol=1e-6)
    assert loaded.class_names == classifier.class_names and loaded.notes == classifier.notes
    assert loaded.card() == classifier.card()
    assert loaded.evaluate(pictures()).copies == tuple(range(28))
    plain = keras.saving.load_model(path)  # and Keras alone can read it
    assert plain(images.astype("float32")).shape == (28, 2)
    with pytest.raises(InputError, match="pictures of this evaluation are not at hand"):
        loaded.held_back.show_mistakes()


def test_an_interrupted_save_leaves_the_old_file(classifier, tmp_path, monkeypatch):
    path = classifier.save(tmp_path / "model.keras")
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        classifier.save(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.glob("*model*")] == [path.name]


def test_places_that_cannot_be_written_or_read(classifier, tmp_path):
    with pytest.raises(InputError, match=r"does not end in \.keras"):
        classifier.save(tmp_path / "model.h5")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        classifier.save(tmp_path / "file" / "model.keras")
    with pytest.raises(MissingFileError, match="no file"):
        ImageClassifier.load(tmp_path / "none.keras")
    with pytest.raises(InputError, match="None"):
        ImageClassifier.load(None)


def test_a_model_of_other_origin_is_not_written_over(classifier, tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((3,)), layers.Dense(2)]).save(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="would be lost"):
        classifier.save(path)
    assert path.read_bytes() == before
    assert classifier.save(classifier.save(tmp_path / "again.keras")).is_file()


def test_every_way_of_damage_is_refused(classifier, tmp_path):
    content = classifier.save(tmp_path / "model.keras").read_bytes()
    path, rng = tmp_path / "damaged.keras", np.random.default_rng(0)
    damaged = [b"", b"words", content[: len(content) // 2], content[:-30], content[40:]]
    for _ in range(25):
        changed = bytearray(content)
        for place in rng.integers(0, len(content), 20):
            changed[place] ^= 0xFF
        damaged.append(bytes(changed))
    refused = 0
    for each in damaged:
        path.write_bytes(each)
        try:
            loaded = ImageClassifier.load(path)
        except DamagedFileError:
            refused += 1
        else:  # a byte that nobody reads, such as a time stamp
            assert loaded.class_names == classifier.class_names
    assert refused >= 25


def rewrite(source, target, change):
    """Copy a zip, with what `change` makes of its members (a dict of bytes)."""
    with zipfile.ZipFile(source) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def edited(name, change):
    def edit(members):
        content = json.loads(members[name])
        change(content)
        members[name] = json.dumps(content).encode()

    return edit


def lambda_layer(config):
    config["config"]["layers"][1].update(module="keras.layers", class_name="Lambda")


def foreign_module(config):
    config["config"]["layers"][1].update(module="os", class_name="Dense")


def external_weights(members):
    """Weights that lie in another file, as nobody notices who reads them with h5py."""
    file, found = io.BytesIO(members["model.weights.h5"]), []
    with h5py.File(file, "a") as weights:
        weights.visititems(
            lambda name, each: found.append(name) if isinstance(each, h5py.Dataset) else None
        )
        del weights[found[0]]
        weights[found[0]] = h5py.ExternalLink("/etc/passwd", "/")
    members["model.weights.h5"] = file.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edited("config.json", lambda_layer), "uses 'Lambda'"),
        (edited("config.json", foreign_module), "cannot be opened"),
        (external_weights, "could not be loaded"),
        (lambda members: members.update({"../evil.py": b"x"}), "evil.py"),
        (lambda members: members.update({"assets/x": b"x"}), "assets/x"),
        (lambda members: members.pop("tlkit.json"), "no classifier of tlkit"),
        (lambda members: members.update({"config.json": b"{"}), "cannot be opened"),
        (lambda members: members.update({"config.json": b"[" * 100_000}), "cannot be opened"),
        (lambda members: members.update({"model.weights.h5": b"x"}), "cannot be opened"),
        (edited("tlkit.json", lambda facts: facts.update(class_names=["a"])), "does not fit"),
        (edited("tlkit.json", lambda facts: facts.update(prints="x")), "does not fit"),
        (edited("tlkit.json", lambda facts: facts.pop("about")), "does not fit"),
        (edited("tlkit.json", lambda facts: facts["about"].update(tried=[["x"]])), "does not fit"),
    ],
)
def test_hostile_files_are_refused(classifier, tmp_path, change, words):
    path = classifier.save(tmp_path / "model.keras")
    rewrite(path, tmp_path / "hostile.keras", change)
    with pytest.raises(DamagedFileError, match=words):
        ImageClassifier.load(tmp_path / "hostile.keras")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda members: None, "`Lambda` layer"),
        (edited("config.json", foreign_module), "cannot be opened"),
        (external_weights, "could not be loaded"),
        (lambda members: members.pop("config.json"), "cannot be opened"),
    ],
)
def test_hostile_files_are_not_diagnosed_either(tmp_path, change, words, capsys):
    harmless = [keras.Input((8, 8, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    keras.Sequential(harmless).save(tmp_path / "model.keras")
    assert main(["diagnose", str(tmp_path / "model.keras")]) in (0, 1)
    code = layers.Lambda(lambda x: x)
    if words == "`Lambda` layer":
        keras.Sequential([harmless[0], code]).save(tmp_path / "model.keras")
    rewrite(tmp_path / "model.keras", tmp_path / "hostile.keras", change)
    assert main(["diagnose", str(tmp_path / "hostile.keras")]) == 2
    assert words in capsys.readouterr().err


def test_a_bomb_is_refused(classifier, tmp_path, monkeypatch):
    path = classifier.save(tmp_path / "model.keras")
    monkeypatch.setattr(model_files, "LARGEST", 1000)
    with pytest.raises(DamagedFileError, match="unpacks to"):
        ImageClassifier.load(path)

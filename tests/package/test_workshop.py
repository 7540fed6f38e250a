"""The workshop: train, judge, save, load, export; the command; the program in the page."""

import importlib.util
import json
import os
import runpy
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

import tlkit
from tlkit import finetuning
from tlkit.data import duplicates
from tlkit.errors import DamagedFileError, InputError, MissingFileError, TlkitError
from tlkit.networks import backbones
from tlkit.scores import score
from tlkit.workshop import Attempts, ImageClassifier, train_classifier, training
from tlkit.workshop import files as model_files
from tlkit.workshop.app_page import Workshop, build, uploaded
from tlkit.workshop.command import main

SIZE = 32


def tiny_backbone(*_arguments, image_size=SIZE, **_options):
    """A network that sees colours, quick to run, in the place of the pretrained one."""
    with backbones.seeded(0):
        inputs = keras.Input((image_size, image_size, 3), name="pictures")
        x = layers.Rescaling(1 / 128, offset=-1)(inputs)
        x = layers.Conv2D(8, 3, strides=4, name="stem_conv", use_bias=False)(x)
        x = layers.BatchNormalization(name="stem_bn")(x)
        x = layers.ReLU(6.0, name="stem")(x)
        x = layers.Conv2D(8, 1, name="features_conv")(x)
        return keras.Model(inputs, layers.Identity(name="features")(x), name="tiny")


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(backbones, "load_backbone", tiny_backbone)
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "cache"))


def pictures(counts=(14, 14), seed=0, size=SIZE):
    """Coarse patterns, reddish in the first class, bluish in the last."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    images = rng.integers(0, 150, (len(labels), 4, 4, 3))
    images[..., 0] += (100 * (1 - labels / max(len(counts) - 1, 1))).astype(int)[:, None, None]
    images[..., 2] += (100 * labels / max(len(counts) - 1, 1)).astype(int)[:, None, None]
    images = images.astype("uint8").repeat(size // 4, axis=1).repeat(size // 4, axis=2)
    names = tuple("red|blue" if len(counts) == 2 else "abcdef"[: len(counts)])
    names = ("red", "blue") if len(counts) == 2 else names
    return tlkit.ImageDataset(images, labels, names, "patterns", "made up", "CC0")


@pytest.fixture(scope="module")
def classifier():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbones, "load_backbone", tiny_backbone)
        return train_classifier(pictures(), "features")


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "mine")


def write_folder(root, counts=(8, 8), seed=3):
    data = pictures(counts, seed)
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        place = root / data.class_names[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    return root


# --- training ---


def test_features_are_judged_on_pictures_that_the_head_did_not_see(classifier):
    judged = classifier.held_back
    assert judged.confusion.sum() == 28 and judged.accuracy > 0.8
    assert judged.interval[0] < judged.accuracy <= judged.interval[1]
    assert "5 parts" in judged.how and judged.recall.shape == (2,)
    # Labels by chance are not learnt: judged on pictures it learnt from, it would look good.
    data = pictures((60, 60))
    noise = np.random.default_rng(0).permutation(data.labels)
    shuffled = tlkit.ImageDataset(data.images, noise, data.class_names)
    assert 0.25 < train_classifier(shuffled, "features").held_back.accuracy < 0.75


def test_fine_tuning_is_judged_on_a_fifth_that_it_never_saw(monkeypatch):
    seen = []
    real = training.train_in_rounds

    def watch(model, data, *rest):
        seen.append(data.images)
        real(model, data, *rest)

    monkeypatch.setattr(training, "train_in_rounds", watch)
    data = pictures((20, 20))
    trained = train_classifier(data, "fine-tune")
    assert trained.held_back.confusion.sum() == 8 and len(seen[0]) == 32
    assert trained.held_back.accuracy > 0.7
    assert not trained.model.trainable_variables and not trained.model.compiled


@pytest.mark.parametrize(
    ("advised", "way", "words"),
    [
        ("features", "features", "stem"),
        ("fine-tune", "fine-tune", "fine-tuned"),
        ("from scratch", "fine-tune", "fine-tuned"),
    ],
)
def test_auto_does_what_is_recommended_and_says_why(monkeypatch, advised, way, words):
    from tlkit.workshop.recommendation import Recommendation

    monkeypatch.setattr(finetuning, "FEWEST_STEPS", 20)
    monkeypatch.setattr(finetuning, "TIMES_OVER", 1)
    advice = Recommendation(advised, "stem", "similar", 28, 14, {}, ("Because.",))
    monkeypatch.setattr(training, "advise", lambda data, seed, read: advice)
    trained = train_classifier(pictures())
    assert trained.about["strategy"] == way and words in trained.notes[0]
    assert "Because." in trained.notes


def test_five_pictures_a_class_are_enough_and_it_says_how_uncertain_that_is():
    few = train_classifier(pictures((5, 5)), "features")
    low, high = few.held_back.interval
    assert few.held_back.confusion.sum() == 10 and high - low > 0.2
    assert any("has 5 pictures: take this for a first try" in note for note in few.notes)
    assert "judged on 10 pictures only" in few.card()


def test_uneven_classes_are_evened_out_and_reported():
    data = pictures((60, 6), seed=5)
    noisy = np.random.default_rng(0).integers(-90, 90, data.images.shape)
    hard = tlkit.ImageDataset(
        np.clip(data.images + noisy, 0, 255).astype("uint8"), data.labels, data.class_names
    )
    trained = train_classifier(hard, "features")
    assert any("60 of 'red', 6 of 'blue'" in note for note in trained.notes)
    head = tlkit.fit_linear_head(np.eye(4)[[0, 1, 2, 3]], [0, 0, 0, 1])
    before = head.layers[-1].get_weights()[1].copy()
    training.even_out(head, np.array([0, 0, 0, 1]))
    moved = head.layers[-1].get_weights()[1] - before
    np.testing.assert_allclose(moved[1] - moved[0], np.log(3), rtol=1e-5)


def test_copies_are_found_and_only_one_of_them_is_used():
    data = pictures((10, 10))
    twice = tlkit.ImageDataset(
        np.concatenate([data.images, data.images[:4]]),
        np.concatenate([data.labels, data.labels[:4]]),
        data.class_names,
    )
    trained = train_classifier(twice, "features")
    assert trained.held_back.confusion.sum() == 20
    assert any("4 pictures are copies" in note for note in trained.notes)


def test_a_picture_in_two_classes_is_left_out():
    data = pictures((10, 10))
    torn = tlkit.ImageDataset(
        np.concatenate([data.images, data.images[:1]]),
        np.concatenate([data.labels, [1]]),
        data.class_names,
    )
    trained = train_classifier(torn, "features")
    assert trained.held_back.confusion.sum() == 19
    assert any("more than one class (blue, red)" in note for note in trained.notes)
    same = tlkit.ImageDataset(data.images[[0] * 6], [0, 0, 0, 1, 1, 1], data.class_names)
    with pytest.raises(InputError, match="no picture when copies are left out"):
        train_classifier(same, "features")


def test_copies_survive_scaling_and_saving_again(tmp_path):
    data = tlkit.load_dataset("photos", image_size=96)
    prints = duplicates.fingerprints(data.images)
    saved = []
    for number, image in enumerate(data.images):
        path = tmp_path / f"{number}.jpg"
        Image.fromarray(image).resize((72, 72)).save(path, quality=75)
        saved.append(np.asarray(Image.open(path).resize((96, 96))))
    copies = duplicates.copies_of(duplicates.fingerprints(np.stack(saved)), prints)
    assert len(copies) >= 9
    assert (duplicates.groups(prints) == np.arange(11)).all()
    people = duplicates.fingerprints(tlkit.load_dataset("sunglasses-or-hat", 40, 32).images)
    assert len(duplicates.copies_of(people, prints)) == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: "pictures/", "str is no set of pictures"),
        (lambda: pictures(size=16), "square ones of 32"),
        (lambda: pictures((4, 1)), "'blue' has one picture"),
        (lambda: pictures((4, 0)), "'blue' has no picture"),
        (lambda: pictures((4,)), "one class only"),
    ],
)
def test_pictures_that_cannot_be_trained_on(data, words):
    with pytest.raises(InputError, match=words):
        train_classifier(data())


def test_a_strategy_that_is_none():
    with pytest.raises(InputError, match="no strategy 'magic'"):
        train_classifier(pictures(), "magic")


# --- interruption ---


def test_an_interrupted_training_goes_on_where_it_stopped(monkeypatch, tmp_path):
    data = pictures((20, 20))
    whole = train_classifier(data, "fine-tune")
    keeps, keep = [], training.keep

    def stop(*arguments, **options):
        keep(*arguments, **options)
        keeps.append(1)
        if len(keeps) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(training, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            train_classifier(data, "fine-tune")
    kept = list((tmp_path / "cache" / "training").iterdir())
    assert [path.suffix for path in kept] == [".npz"]  # whole, and no temporary file
    again, take_steps = [], training.take_steps

    def count(model, images, labels, order, *rest):
        again.append(len(order))
        take_steps(model, images, labels, order, *rest)

    monkeypatch.setattr(training, "take_steps", count)
    resumed = train_classifier(data, "fine-tune")
    assert again == [finetuning.fading_steps(32) - 2 * training.ROUND]
    np.testing.assert_allclose(resumed.predict(data.images), whole.predict(data.images), atol=1e-4)
    assert not list((tmp_path / "cache" / "training").iterdir())


def test_an_interrupted_extraction_keeps_what_was_done(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "PIECE", 8)
    base, images, calls = tiny_backbone(), pictures().images, []
    extract = training.extract_features

    def stop(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return extract(*arguments, **options)

    monkeypatch.setattr(training, "extract_features", stop)
    with pytest.raises(KeyboardInterrupt):
        training.features_in_pieces(base, images)
    assert len(list((tmp_path / "cache" / "features").iterdir())) == 2
    whole = training.features_in_pieces(base, images)
    np.testing.assert_allclose(whole, extract(base, images, cache=False), atol=1e-6)


# --- using it ---


def test_predict_takes_arrays_and_paths(classifier, tmp_path):
    data = pictures(seed=9)
    shares = classifier.predict(data.images)
    assert shares.shape == (28, 2) and np.allclose(shares.sum(axis=1), 1)
    assert (shares.argmax(axis=1) == data.labels).mean() > 0.8
    path = tmp_path / "one.png"
    Image.fromarray(data.images[0]).save(path)
    for one in (path, str(path), [path], data.images[0], data.images[:1].astype(float)):
        np.testing.assert_allclose(classifier.predict(one), shares[:1], atol=1e-6)
    large = data.images.repeat(3, axis=1).repeat(3, axis=2)
    assert (classifier.predict(large).argmax(axis=1) == shares.argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.zeros((1, 32, 32, 1)), [], "words", None])
def test_what_is_no_picture_is_refused(classifier, wrong):
    with pytest.raises(TlkitError):
        classifier.predict(wrong)


def test_a_file_that_is_no_picture_is_refused(classifier, tmp_path):
    (tmp_path / "x.jpg").write_text("words")
    with pytest.raises(InputError, match="cannot be used: not a picture"):
        classifier.predict(tmp_path / "x.jpg")


def test_evaluate_counts_maps_names_and_finds_copies(classifier):
    data = pictures(seed=9)
    found = classifier.evaluate(data)
    assert found.confusion.sum() == 28 and not found.copies and found.without_copies is None
    turned = tlkit.ImageDataset(data.images, 1 - data.labels, ("blue", "red"))
    np.testing.assert_array_equal(classifier.evaluate(turned).confusion, found.confusion)
    mixed = tlkit.ImageDataset(
        np.concatenate([data.images[:6], pictures().images[:3]]), [0] * 9, data.class_names
    )
    copied = classifier.evaluate(mixed)
    assert copied.copies == (6, 7, 8) and copied.without_copies.n == 6
    assert "3 of these pictures are copies" in repr(copied)
    with pytest.raises(InputError, match="knows no class 'green'"):
        classifier.evaluate(tlkit.ImageDataset(data.images, data.labels, ("red", "green")))
    with pytest.raises(InputError, match="no pictures"):
        classifier.evaluate("pictures/")


def test_the_surest_mistakes_come_first():
    from tlkit.workshop.evaluation import evaluate

    shares = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.45, 0.55]])
    found = evaluate(pictures((2, 2)).images, np.array([1, 0, 1, 1]), shares, ("a", "b"), "new")
    assert [mistake.index for mistake in found.mistakes] == [0, 1]
    assert [title for _, title in found.hardest] == [
        "said a 90%, is b",
        "said b 60%, is a",
        "b 55%, right",
        "b 80%, right",
    ]
    assert found.score == score([1, 0, 1, 1], shares) and found.recall[0] == 0


def test_figures_are_drawn(classifier):
    assert classifier.held_back.draw().axes
    assert len(classifier.held_back.show_mistakes(4).axes) >= 4
    assert classifier.explain(pictures().images[0]).alt
    assert classifier.explain(pictures().images[0], "blue").axes
    with pytest.raises(InputError, match="class 'green'"):
        classifier.explain(pictures().images[0], "green")


def test_the_card_states_what_was_measured(classifier, tmp_path):
    text = classifier.card(tmp_path / "model.md")
    assert (tmp_path / "model.md").read_text(encoding="utf-8") == text
    for words in ("red 14, blue 14", "made up", "CC0", str(classifier.held_back.score)):
        assert words in text
    classifier.card(tmp_path / "model.md")  # its own may be replaced
    (tmp_path / "notes.md").write_text("my notes")
    with pytest.raises(InputError, match="tlkit did not make it"):
        classifier.card(tmp_path / "notes.md")
    assert (tmp_path / "notes.md").read_text() == "my notes"


# --- one file ---


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
        else:
            # A byte that nobody reads, such as a time stamp.
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
    import io

    import h5py

    file = io.BytesIO(members["model.weights.h5"])
    with h5py.File(file, "a") as weights:
        weights["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
    members["model.weights.h5"] = file.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edited("config.json", lambda_layer), "uses 'Lambda'"),
        (edited("config.json", foreign_module), "uses 'Dense'"),
        (external_weights, "weights point elsewhere"),
        (lambda members: members.update({"../evil.py": b"x"}), "evil.py"),
        (lambda members: members.update({"assets/x": b"x"}), "assets/x"),
        (lambda members: members.pop("tlkit.json"), "no classifier of tlkit"),
        (lambda members: members.update({"config.json": b"{"}), "cannot be read"),
        (lambda members: members.update({"config.json": b"[" * 100_000}), "cannot be read"),
        (lambda members: members.update({"model.weights.h5": b"x"}), "weights .* are damaged"),
        (edited("tlkit.json", lambda facts: facts.update(class_names=["a"])), "does not fit"),
        (edited("tlkit.json", lambda facts: facts.update(prints="x")), "does not fit"),
        (edited("tlkit.json", lambda facts: facts.pop("about")), "does not fit"),
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
        (edited("config.json", lambda_layer), "uses 'Lambda'"),
        (edited("config.json", foreign_module), "uses 'Dense'"),
        (external_weights, "weights point elsewhere"),
        (lambda members: members.pop("config.json"), "lacks a part"),
    ],
)
def test_hostile_files_are_not_diagnosed_either(tmp_path, change, words, capsys):
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.GaussianNoise(0.1), layers.Flatten(), layers.Dense(2)]
    )
    model.save(tmp_path / "model.keras")
    rewrite(tmp_path / "model.keras", tmp_path / "hostile.keras", change)
    assert main(["diagnose", str(tmp_path / "model.keras")]) in (0, 1)
    assert main(["diagnose", str(tmp_path / "hostile.keras")]) == 2
    assert words in capsys.readouterr().err


def test_a_bomb_is_refused(classifier, tmp_path, monkeypatch):
    path = classifier.save(tmp_path / "model.keras")
    monkeypatch.setattr(model_files, "LARGEST", 1000)
    with pytest.raises(DamagedFileError, match="unpacks to"):
        ImageClassifier.load(path)


# --- export ---

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


@pytest.mark.parametrize("format", FORMATS)
def test_exported_it_says_the_same_and_runs_without_keras(classifier, tmp_path, format, capfd):
    suffix = {"litert": ".tflite", "onnx": ".onnx"}[format]
    test = pictures(seed=9)
    made = classifier.export(tmp_path / f"it's a model{suffix}", format, test=test)
    assert made.difference < 1e-3 and made.before == made.after and made.path.is_file()
    run = tlkit.workshop.open_exported(made.path)
    np.testing.assert_allclose(run(test.images), classifier.predict(test.images), atol=1e-3)
    written = capfd.readouterr()
    assert not written.err and not written.out
    lines = made.script.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 12 and max(map(len, lines[1:-1])) <= 100
    if importlib.util.find_spec(RUNTIME[format]) is None:
        pytest.skip(f"the script needs {RUNTIME[format]}")
    Image.fromarray(test.images[0]).resize((90, 60)).save(tmp_path / "wide.png")
    forbid = "import sys\nfor name in ('tlkit', 'keras', 'tensorflow'): sys.modules[name] = None\n"
    (tmp_path / "alone.py").write_text(
        f"{forbid}import runpy\nsys.path[0] = {str(tmp_path)!r}\n"
        f"runpy.run_path({str(made.script)!r}, run_name='__main__')\n"
    )
    told = subprocess.run(
        [sys.executable, tmp_path / "alone.py", tmp_path / "wide.png"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path.home(),
    ).stdout
    share = classifier.predict(tmp_path / "wide.png")[0, 0]
    assert abs(float(told.split("red ")[1].split("%")[0]) / 100 - share) < 0.05


def odd_pictures(folder):
    """Files that Pillow and a careless script see differently."""
    grey = np.linspace(0, 65535, 40 * 60).reshape(40, 60)
    Image.fromarray(grey.astype("uint16")).save(folder / "16bit.png")
    colour = Image.fromarray(pictures((1, 0), size=64, seed=7).images[0])
    see_through = colour.convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize((64, 64)))
    see_through.save(folder / "alpha.png")
    palette = colour.quantize(16)
    palette.save(folder / "palette.png", transparency=0)
    exif = Image.Exif()
    exif[0x0112] = 6
    halves = np.zeros((64, 96, 3), "uint8")
    halves[:, :48] = 255, 0, 0
    Image.fromarray(halves).save(folder / "turned.jpg", exif=exif, quality=95)
    return sorted(folder.glob("*.*g"))


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter")
def test_the_script_sees_odd_pictures_as_the_classifier_does(
    classifier, tmp_path, monkeypatch, capsys
):
    made = classifier.export(tmp_path / "model.tflite", "litert")
    (tmp_path / "odd").mkdir()
    paths = [str(path) for path in odd_pictures(tmp_path / "odd")]
    runtime = types.ModuleType("ai_edge_litert.interpreter")
    runtime.Interpreter = tf.lite.Interpreter  # the same, which every installation has
    monkeypatch.setitem(sys.modules, "ai_edge_litert", types.ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", runtime)
    monkeypatch.setattr(sys, "argv", ["predict.py", *paths])
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    runpy.run_path(str(made.script), run_name="__main__")
    said = capsys.readouterr().out.splitlines()
    shares = [float(line.split("red ")[1].split("%")[0]) / 100 for line in said]
    np.testing.assert_allclose(shares, classifier.predict(paths)[:, 0], atol=0.03)
    assert len(paths) == len(said) == 4


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
        ({"path": "m.tflite", "format": "litert", "test": "large"}, "not of 32 pixels"),
    ],
)
def test_exports_that_cannot_be(classifier, tmp_path, arguments, words):
    if arguments.get("test"):
        arguments = {**arguments, "test": pictures(size=64)}
    with pytest.raises(InputError, match=words):
        classifier.export(**{**arguments, "path": tmp_path / arguments["path"]})
    assert not list(tmp_path.glob("m.*"))


def test_packages_that_are_missing_are_named(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert tlkit.workshop.export_formats() == ("litert",)
    with pytest.raises(MissingFileError, match="pip install onnx onnxruntime tf2onnx"):
        classifier.export(tmp_path / "m.onnx")


def test_a_script_of_the_users_is_not_overwritten(classifier, tmp_path):
    (tmp_path / "predict.py").write_text("print('mine')")
    with pytest.raises(InputError, match="tlkit did not make it"):
        classifier.export(tmp_path / "m.tflite", "litert")
    assert (tmp_path / "predict.py").read_text() == "print('mine')"


# --- the command ---


def test_the_command_from_folder_to_file_and_back(folder, tmp_path, capsys):
    out = tmp_path / "model.keras"
    train = ["train", str(folder), "--out", str(out), "--strategy", "features"]
    assert main([*train, "--image-size", "32"]) == 0
    assert out.is_file() and out.with_suffix(".md").is_file()
    assert "Saved:" in capsys.readouterr().out
    picture = next((folder / "red").iterdir())
    assert main(["predict", str(out), str(picture)]) == 0
    assert f"{picture}: red" in capsys.readouterr().out
    assert main(["predict", str(out), str(picture), "none.png"]) == 1
    assert main(["evaluate", str(out), str(folder)]) == 0
    assert "16 of these pictures are copies" in capsys.readouterr().out
    assert main(["export", str(out), "--out", str(tmp_path / "m.tflite"), "--quantised"]) == 0
    assert (tmp_path / "predict.py").is_file()
    assert main(["diagnose", str(out), str(folder)]) == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "none/", "--out", "m.keras"], "There is no folder 'none'"),
        (["train", "none/", "--out", "m.h5"], "does not end in .keras"),
        (["train", "none/", "--out", "none/m.keras"], "There is no folder 'none'"),
        (["predict", "none.keras", "x.png"], "There is no file"),
        (["evaluate", "none.keras", "x"], "There is no file"),
        (["export", "none.keras", "--out", "m.zip"], "no known ending"),
        (["diagnose", "none.keras"], "There is no file"),
    ],
)
def test_what_cannot_be_done_is_said_with_code_two(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_interrupted_it_says_so(folder, monkeypatch, capsys, tmp_path):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tlkit.workshop.train.train_classifier", stop)
    code = main(["train", str(folder), "--out", str(tmp_path / "m.keras"), "--image-size", "32"])
    assert code == 130 and "half-written" in capsys.readouterr().err
    assert not (tmp_path / "m.keras").exists()


def test_help_reads_well(capsys):
    for arguments in (["--help"], ["train", "--help"], ["export", "--help"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 0
    told = capsys.readouterr().out
    assert "exit codes" in told and "a sub-folder per class" in told
    with pytest.raises(SystemExit) as end:
        main(["fly"])
    assert end.value.code == 2


# --- attempts ---


def test_attempts_are_noted_once_each_and_drawn(capsys):
    attempts = Attempts()
    attempts.add("always a", [0, 1, 1], [0, 0, 0], seconds=0.1)
    attempts.run("always b", lambda: np.ones(3, int), [0, 1, 1])
    attempts.add_score("always a", score([0, 1], [0, 0]), 2)
    assert [name for name, _, _ in attempts.rows] == ["always b", "always a"]
    assert "66.7%" in repr(attempts) and "always b: 66.7%" in capsys.readouterr().out
    assert attempts.draw().alt
    with pytest.raises(InputError, match="needs a score"):
        attempts.add_score("x", 0.5, 1)


# --- the program in the page ---


def test_uploads_of_both_widget_versions():
    seven = {"a.png": {"metadata": {"name": "a.png"}, "content": b"x"}}
    eight = ({"name": "a.png", "type": "image/png", "content": memoryview(b"x")},)
    assert uploaded(seven) == uploaded(eight) == [("a.png", b"x")]
    assert uploaded({}) == uploaded(()) == []


def files(folder, name):
    return [(path.name, path.read_bytes()) for path in sorted((folder / name).iterdir())]


def test_the_program_trains_on_what_was_uploaded(folder):
    shop = Workshop()
    with pytest.raises(InputError, match="no classifier yet"):
        shop.try_out(b"")
    shop.add("red", files(folder, "red"))
    assert shop.add("blue", files(folder, "blue")) == "8 of 'red', 8 of 'blue'"
    for name in ("", "../x", ".x", "a/b"):
        with pytest.raises(InputError, match="no name for a class"):
            shop.add(name, files(folder, "red"))
    assert shop.train(strategy="features").class_names == ("blue", "red")
    figure, words = shop.try_out(files(folder, "red")[0][1])
    assert figure.alt and words.startswith("red")
    with pytest.raises(InputError, match="cannot be used"):
        shop.try_out(b"words")


def test_the_controls_say_what_went_wrong(folder):
    shop = Workshop()
    it = build(shop)
    it["train"].click()
    assert not it["train"].disabled and shop.classifier is None
    it["folder"].value = str(folder)
    it["train"].click()
    assert shop.classifier is not None

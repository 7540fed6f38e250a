"""Unfreezing, and fine-tuning in two phases."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tlkit
from tlkit import features, finetuning
from tlkit.errors import InputError
from tlkit.features import still_part
from tlkit.keras_tools import leaf_layers
from tlkit.networks.folding import fold_batch_norm
from tlkit.steps import passes

SIZE = 16


@pytest.fixture(autouse=True, scope="module")
def eagerly():
    """Building a graph takes longer than the few steps that these tests train for."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def pictures(n=40, classes=2, size=SIZE, seed=0):
    """Pictures whose classes differ in brightness, so that a tiny network can tell them apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    images = rng.integers(0, 120, (n, size, size, 3)) + (labels * 100)[:, None, None, None]
    names = tuple("abcdef"[:classes])
    return tlkit.ImageDataset(images.clip(0, 255).astype("uint8"), labels, names)


def backbone():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    for number in range(3):
        x = layers.Conv2D(6, 3, padding="same", name=f"block_{number}_conv")(x)
        x = layers.BatchNormalization(name=f"block_{number}_bn")(x)
        x = layers.ReLU(name=f"block_{number}")(x)
    return keras.Model(inputs, x, name="tiny")


def nested(base=None):
    base = base or backbone()
    return keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(2, name="head")])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.base, self.pool = backbone(), layers.GlobalAveragePooling2D()
        self.head = layers.Dense(2, name="head")

    def call(self, images):
        return self.head(self.pool(self.base(images)))


def subclassed():
    model = Subclassed()
    model(np.zeros((1, SIZE, SIZE, 3), "float32"))
    return model


def flat():
    return tlkit.attach_head(
        backbone(), keras.Sequential([keras.Input((6,)), layers.Dense(2, name="head")])
    )


def training(model):
    return [layer.name for layer in leaf_layers(model) if layer.trainable_weights]


KINDS = pytest.mark.parametrize("make", [flat, nested, subclassed])


# --- unfreeze ----------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("frozen", [True, False])
def test_all_trains_but_batch_norm(make, frozen):
    model = make()
    model.trainable = not frozen
    tlkit.unfreeze(model)
    assert training(model) == ["block_0_conv", "block_1_conv", "block_2_conv", "head"]


@KINDS
@pytest.mark.parametrize(
    ("from_layer", "expected"),
    [
        ("block_1", ["block_1_conv", "block_2_conv", "head"]),
        ("block_1_bn", ["block_2_conv", "head"]),
        ("block_2_conv", ["block_2_conv", "head"]),
        ("head", ["head"]),
    ],
)
def test_a_block_stands_for_all_its_layers(make, from_layer, expected):
    model = make()
    tlkit.unfreeze(model, from_layer)
    assert training(model) == expected


@KINDS
def test_what_trains_moves_and_statistics_stay_still(make):
    model, data = make(), pictures()
    tlkit.unfreeze(model, "block_2")
    before = {weight.path: np.array(weight) for weight in model.weights}
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(data.images, data.labels, verbose=0)
    moved = {w.path.split("/")[-2] for w in model.weights if (before[w.path] != np.array(w)).any()}
    assert moved == {"block_2_conv", "head"}


def test_a_number_at_the_end_is_another_layer_not_a_part():
    model = keras.Sequential([keras.Input((4,))])
    for name in ("dense_1", "dense_2", "dense"):
        model.add(layers.Dense(4, name=name))
    tlkit.unfreeze(model, "dense")
    assert training(model) == ["dense"]


def test_batch_norm_inside_a_layer_of_ones_own_stays_still():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = layers.Conv2D(4, 3), layers.BatchNormalization()

        def call(self, x):
            return self.bn(self.conv(x))

    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), Block()])
    tlkit.unfreeze(model)
    assert [type(x).__name__ for x in leaf_layers(model) if x.trainable_weights] == ["Conv2D"]


def test_it_says_what_will_train(capsys):
    tlkit.unfreeze(nested(), "block_2")
    said = capsys.readouterr().out
    parameters = 6 * 6 * 9 + 6 + 6 * 2 + 2
    assert f"2 of 4 layers will train, with {parameters:,} of " in said
    assert "3 batch-norm layers stay still" in said and "Compile the model again" in said


def test_unknown_layers_suggest_near_ones_and_nothing_changes():
    model = nested()
    with pytest.raises(InputError, match="block_1"):
        tlkit.unfreeze(model, "blok_1")
    assert len(training(model)) == 7


def test_a_model_without_weights_is_refused():
    with pytest.raises(InputError, match="call it once"):
        tlkit.unfreeze(Subclassed())


# --- fine_tune ---------------------------------------------------------------------------------


def test_a_backbone_becomes_a_classifier(capsys):
    base, data = backbone(), pictures()
    start = base.get_weights()
    # Judged on what it learns from, small steps are sure to lower the loss: the head was fitted
    # with a penalty on its size, and Adam's do not have to keep to it.
    tuned = tlkit.fine_tune(base, data, data, learning_rate=1e-3, epochs=3, progress=True)
    assert tuned.model.output_shape == (None, 2)
    assert set(tuned.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    lengths = {len(values) for values in tuned.history.values()}
    assert len(lengths) == 1 and 2 <= lengths.pop() <= 4
    assert np.isnan(tuned.history["loss"][0]) and np.isfinite(tuned.history["val_loss"]).all()
    assert tuned.best_epoch > 0
    assert any((a != b).any() for a, b in zip(start, base.get_weights(), strict=True))
    assert "epoch 1: validation loss" in capsys.readouterr().out


def test_the_best_epoch_is_what_is_kept():
    train, validation = pictures(), pictures(seed=1)
    tuned = tlkit.fine_tune(
        backbone(), train, validation, learning_rate=3e-2, epochs=4, patience=4, progress=False
    )
    losses = tuned.history["val_loss"]
    assert tuned.best_epoch == int(np.argmin(losses))
    kept = tuned.model.evaluate(validation.images, validation.labels, verbose=0)[0]
    assert kept == pytest.approx(min(losses), rel=1e-4)


def test_if_moving_only_harms_the_settled_head_is_kept():
    tuned = tlkit.fine_tune(
        backbone(), pictures(), learning_rate=0.9, epochs=1, patience=1, progress=False
    )
    assert tuned.best_epoch == 0
    base = tuned.model.layers[: len(backbone().layers)]
    kernel = next(layer for layer in base if layer.name == "block_0_conv").kernel
    # A single step at that rate would go beyond.
    assert np.abs(kernel).max() < 0.5


@KINDS
def test_a_classifier_settles_its_head_first(make, monkeypatch):
    model, moving = make(), []
    fit = finetuning._fit

    def note(model, rate, *rest, **options):
        moving.append((rate, training(model)))
        return fit(model, rate, *rest, **options)

    monkeypatch.setattr(finetuning, "_fit", note)
    tlkit.fine_tune(
        model, pictures(), from_layer="block_2", learning_rate=1e-3, epochs=1, progress=False
    )
    assert moving == [
        (pytest.approx(1e-2), ["head"]),
        (1e-3, ["block_2_conv", "head"]),
    ]


def test_the_same_seed_gives_the_same_result():
    def once(seed):
        keras.utils.set_random_seed(5)
        options = {"epochs": 1, "batch_size": 8, "progress": False}
        return tlkit.fine_tune(nested(), pictures(20), seed=seed, **options).history["val_loss"]

    assert once(1) == pytest.approx(once(1), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 0}, "epochs"),
        ({"patience": 0}, "patience"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"seed": -1}, "seed"),
        ({"from_layer": "nowhere"}, "nowhere"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        tlkit.fine_tune(backbone(), pictures(), **options)


def test_the_classes_of_the_validation_are_matched_by_name():
    train = pictures()
    turned = tlkit.ImageDataset(train.images, 1 - train.labels, train.class_names[::-1])
    one, other = (
        tlkit.fine_tune(backbone(), train, judge, epochs=1, progress=False).history["val_accuracy"]
        for judge in (train, turned)
    )
    assert one[0] == other[0] > 0.6
    strange = tlkit.ImageDataset(train.images, train.labels, ("a", "z"))
    with pytest.raises(InputError, match="no class 'z'"):
        tlkit.fine_tune(backbone(), train, strange)


@pytest.mark.parametrize("data", [None, (1, 2), "pictures"])
def test_what_is_no_data_set_is_refused(data):
    with pytest.raises(InputError, match="no set of pictures"):
        tlkit.fine_tune(nested(), data)
    if data is not None:
        with pytest.raises(InputError, match="no set of pictures"):
            tlkit.fine_tune(nested(), pictures(), data)


def test_the_head_is_the_last_layer_that_has_weights(monkeypatch):
    model, moving = nested(), []
    model.add(layers.Dropout(0.1))
    monkeypatch.setattr(
        finetuning, "_fit", lambda model, *_, **__: moving.append(training(model)) or ({}, 0)
    )
    tlkit.fine_tune(model, pictures(), progress=False)
    assert moving[0] == ["head"]


def test_a_head_for_other_classes_is_refused():
    with pytest.raises(InputError, match="2 classes, the pictures have 3"):
        tlkit.fine_tune(nested(), pictures(classes=3))


def test_what_is_no_built_model_is_refused():
    with pytest.raises(InputError, match="built"):
        tlkit.fine_tune(Subclassed(), pictures())


# --- what does not move is computed once ---


def with_shortcut():
    """Blocks with a way round, as in MobileNets: a cut inside one would lose it."""
    inputs = x = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(6, 3, padding="same", name="stem")(x)
    for number in range(3):
        inner = layers.Conv2D(6, 3, padding="same", name=f"block_{number}_conv")(x)
        inner = layers.BatchNormalization(name=f"block_{number}_bn")(inner)
        x = layers.Add(name=f"block_{number}")([x, inner])
    x = layers.Dense(2, name="head")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("make", "start", "cut"),
    [
        (with_shortcut, "block_1", "block_0"),
        (with_shortcut, "head", "global_average_pooling2d"),
        (with_shortcut, "stem", None),
        (flat, "block_2", "block_1"),
        (lambda: nested(), "head", "global_average_pooling2d"),
        (lambda: nested(), "block_1", None),
    ],
)
def test_the_still_part_ends_where_everything_passes_through(make, start, cut):
    model = make()
    tlkit.unfreeze(model, start, quiet=True)
    parts = still_part(model, 10)
    if cut is None:
        assert parts is None
        return
    early, late = parts
    assert early.layers[-1].name.rstrip("_0123456789") == cut.rstrip("_0123456789")
    images = pictures(6).images.astype("float32")
    for training_ in (True, False):
        whole = model(images, training=training_)
        np.testing.assert_allclose(late(early(images), training=training_), whole, atol=1e-6)
    assert [id(v) for v in late.trainable_variables] == [id(v) for v in model.trainable_variables]


def test_what_is_random_or_of_ones_own_or_too_large_is_not_kept(monkeypatch):
    for kind in (layers.Dropout(0.5), layers.RandomFlip(), layers.Lambda(lambda x: x)):
        inputs = keras.Input((SIZE, SIZE, 3))
        x = layers.Conv2D(6, 3, name="stem")(kind(inputs))
        x = layers.Dense(2, name="head")(layers.GlobalAveragePooling2D()(x))
        model = keras.Model(inputs, x)
        tlkit.unfreeze(model, "head", quiet=True)
        assert still_part(model, 10) is None
    model = with_shortcut()
    tlkit.unfreeze(model, "block_2", quiet=True)
    assert still_part(model, 10) and still_part(model, 10**6) is None


@pytest.mark.parametrize("start", ["block_1", "block_2", "head"])
def test_kept_maps_change_nothing_but_the_time(start, monkeypatch):
    train, validation = pictures(32), pictures(12, seed=1)
    found = []
    for most in (features.MOST_KEPT, 0):
        monkeypatch.setattr(features, "MOST_KEPT", most)
        keras.utils.set_random_seed(0)
        model = with_shortcut()
        tuned = tlkit.fine_tune(model, train, validation, start, 1e-3, epochs=4, progress=False)
        assert tuned.model is model
        found.append((tuned.history["val_loss"], model.predict(train.images, verbose=0)))
        # Compiled as a whole, to be judged and trained further.
        assert model.evaluate(validation.images, validation.labels, verbose=0)
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-4)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-4)


@pytest.mark.parametrize("start", [None, "block_2"])
def test_the_fading_recipe_with_kept_maps_is_that_of_plain_keras(start):
    train, weights = pictures(32), []
    for plain in (True, False):
        keras.utils.set_random_seed(0)
        model = with_shortcut()
        if plain:
            tlkit.unfreeze(model, start, quiet=True)
            finetuning.compile_fading(model, 6)
            for rows in passes(32, 6, finetuning.BATCH_SIZE, seed=3):
                model.train_on_batch(train.images[rows].astype("float32"), train.labels[rows])
        else:
            finetuning.fit_fading(model, train.images, train.labels, start, seed=3, steps=6)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_after_it_batch_norm_still_folds():
    model = flat()
    tlkit.fine_tune(model, pictures(16), pictures(8), "block_2", epochs=1, progress=False)
    folded = fold_batch_norm(model)
    assert not [each for each in folded.layers if isinstance(each, layers.BatchNormalization)]

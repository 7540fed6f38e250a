"""Groups of layers, a rate for each, and the range test that leaves no trace."""

import random
import re
import zipfile

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, optimizers

import tlkit
from tlkit import learning_rates
from tlkit.data.datasets import ImageDataset
from tlkit.errors import InputError
from tlkit.keras_tools import leaf_layers

SIZE = 8


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def convolutions(x, names):
    for name in names:
        x = layers.Conv2D(4, 3, padding="same", activation="relu", name=name)(x)
    return x


def flat(names=("a", "b", "c", "d"), classes=2):
    inputs = keras.Input((SIZE, SIZE, 3))
    pooled = layers.GlobalAveragePooling2D()(convolutions(inputs, names))
    return keras.Model(inputs, layers.Dense(classes, name="logits")(pooled), name="flat")


def nested():
    inputs = keras.Input((SIZE, SIZE, 3))
    inner = keras.Model(inputs, convolutions(inputs, "abcd"), name="inner.net")
    outer = keras.Input((SIZE, SIZE, 3))
    pooled = layers.GlobalAveragePooling2D()(inner(outer / 255))
    hidden = layers.Dense(5, activation="relu", name="hidden")(layers.Dropout(0.5)(pooled))
    return keras.Model(outer, layers.Dense(2, name="logits")(hidden), name="outer")


def sequential():
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Conv2D(4, 3, name="first.1"),
            layers.BatchNormalization(),
            layers.Conv2D(4, 3, name="firstx1"),
            layers.Conv2D(4, 3, name="third"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, name="answer"),
        ],
        name="my-net.v1",
    )


def headed():
    """A flat backbone with a nested Sequential head, as `attach_head` makes it."""
    base = keras.Input((SIZE, SIZE, 3))
    backbone = keras.Model(base, convolutions(base, "abc"), name="backbone")
    head = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="logits")], name="head")
    return tlkit.attach_head(backbone, head)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.early = layers.Conv2D(4, 3)
        self.late = layers.Conv2D(4, 3)
        self.out = layers.Dense(2)

    def call(self, x):
        return self.out(keras.ops.mean(self.late(self.early(x)), axis=(1, 2)))


def subclassed():
    model = Subclassed()
    model(np.zeros((1, SIZE, SIZE, 3), "float32"))
    return model


KINDS = {
    "flat": flat,
    "nested": nested,
    "sequential": sequential,
    "headed": headed,
    "subclassed": subclassed,
}
SOME = np.random.default_rng(0).random((8, SIZE, SIZE, 3)).astype("float32")
CLASSES = np.arange(8) % 2
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def names(groups):
    return [[layer.name for layer in group] for group in groups]


def one_step(model, optimizer):
    """How far each trainable variable moves in one step on always the same batch."""
    before = [np.array(v) for v in model.trainable_variables]
    model.compile(optimizer, LOSS, run_eagerly=True)
    model.train_on_batch(SOME, CLASSES)
    after = [np.array(v) for v in model.trainable_variables]
    return {
        id(variable): np.abs(b - a).sum()
        for variable, a, b in zip(model.trainable_variables, before, after, strict=True)
    }


def moved(groups, by_variable):
    return np.array(
        [
            sum(by_variable[id(w)] for each in part for w in each.trainable_weights)
            for part in groups
        ]
    )


# --- groups -----------------------------------------------------------------------------------


def test_groups_go_from_early_to_late_with_the_head_last():
    assert names(tlkit.layer_groups(flat(), 3)) == [["a", "b"], ["c", "d"], ["logits"]]
    assert names(tlkit.layer_groups(headed(), 2)) == [["a", "b", "c"], ["logits"]]
    assert names(tlkit.layer_groups(flat(), 1)) == [["a", "b", "c", "d", "logits"]]


def test_the_head_is_all_behind_the_last_maps():
    assert names(tlkit.layer_groups(nested(), 3)) == [["a", "b"], ["c", "d"], ["hidden", "logits"]]


def test_without_maps_the_head_is_the_last_layer():
    model = keras.Sequential([keras.Input((4,)), *(layers.Dense(3, name=n) for n in "abc")])
    assert names(tlkit.layer_groups(model, 2)) == [["a", "b"], ["c"]]


def test_batch_norm_stays_with_its_convolution():
    first, second, _, _ = names(tlkit.layer_groups(sequential(), 4))
    assert first[0] == "first.1" and first[1].startswith("batch_normalization")
    assert second == ["firstx1"]


def test_frozen_layers_are_in_no_group():
    model = flat()
    model.get_layer("a").trainable = False
    assert names(tlkit.layer_groups(model, 2)) == [["b", "c", "d"], ["logits"]]
    model.trainable = False
    with pytest.raises(InputError, match="Nothing trains"):
        tlkit.layer_groups(model)


def test_groups_by_name_of_layer_or_block():
    assert names(tlkit.layer_groups(flat(), ["b", "logits"])) == [
        ["a"],
        ["b", "c", "d"],
        ["logits"],
    ]
    base = tlkit.load_backbone(image_size=32, weights=None)
    parts = tlkit.layer_groups(base, ["block_05", "block_11"])
    assert [part[0].name for part in parts] == [
        "stem_conv",
        "block_05_expand_conv",
        "block_11_expand_conv",
    ]


def test_groups_given_as_layers_or_models():
    model = headed()
    parts = [model.layers[:4], [model.get_layer("head")]]
    assert names(tlkit.layer_groups(model, parts)) == [["a", "b", "c"], ["logits"]]
    outer = nested()
    given = [[outer.get_layer("inner.net")], [outer.get_layer("hidden"), outer.get_layer("logits")]]
    assert names(tlkit.layer_groups(outer, given)) == [list("abcd"), ["hidden", "logits"]]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (6, "too few for 5 groups"),
        (0, "0 groups"),
        (-1, "-1 groups"),
        (["d", "b"], "holds no layer"),
        (["a"], "Group 1 of 2"),
        (["bb"], "no layer 'bb'"),
        ([], "no groups"),
        (2.5, "groups=2.5"),
        ([3], r"groups=\[3\]"),
    ],
)
def test_groups_that_cannot_be_made(groups, said):
    with pytest.raises(InputError, match=said):
        tlkit.layer_groups(flat(), groups)


@pytest.mark.parametrize("make", [tlkit.layer_groups, tlkit.differential_optimizer])
def test_a_variable_in_no_group_or_in_two_is_named(make):
    model = flat()
    a, b, c, d, logits = (model.get_layer(name) for name in [*"abcd", "logits"])
    with pytest.raises(InputError, match="'c/kernel' belongs to no group"):
        make(model, groups=[[a, b], [d, logits]])
    with pytest.raises(InputError, match="'b/kernel' belongs to groups 1 and 2"):
        make(model, groups=[[a, b], [b, c, d, logits]])


def test_a_variable_that_the_model_itself_holds_is_named():
    class WithToken(Subclassed):
        def __init__(self):
            super().__init__()
            self.token = self.add_weight(shape=(2,), name="token")

    model = WithToken()
    model(SOME)
    with pytest.raises(InputError, match="token' belongs to no group"):
        tlkit.layer_groups(model, 2)


def test_layers_that_keras_cannot_tell_apart_are_refused_only_across_groups():
    inputs = keras.Input((SIZE, SIZE, 3))
    parts = [keras.Model(i := keras.Input((SIZE, SIZE, 3)), layers.Conv2D(3, 1, name="twin")(i))]
    parts += [keras.Model(i := keras.Input((SIZE, SIZE, 3)), layers.Conv2D(3, 1, name="twin")(i))]
    x = layers.Flatten()(parts[1](parts[0](inputs)))
    model = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(InputError, match="'twin/kernel' does not tell its group"):
        tlkit.layer_groups(model, 3)
    assert len(tlkit.layer_groups(model, 2)) == 2


@settings(max_examples=25, deadline=None)
@given(
    chosen=st.lists(
        st.sampled_from(["conv", "conv_1", "conv.1", "a(b)", "x+y", "[z]", "$", "ü", "conv1d\\d"]),
        min_size=1,
        max_size=6,
        unique=True,
    ),
    groups=st.integers(1, 7),
    frozen=st.integers(0, 3),
    wrapped=st.booleans(),
)
def test_every_trainable_variable_is_in_exactly_one_group(chosen, groups, frozen, wrapped):
    model = flat(chosen)
    if wrapped:
        inputs = keras.Input((SIZE, SIZE, 3))
        model = keras.Sequential([inputs, model], name="a|b")
    for layer in leaf_layers(model):
        layer.trainable = layer.name not in chosen[:frozen]
    trains = 1 + max(0, len(chosen) - frozen)
    if groups > trains:
        with pytest.raises(InputError, match="too few"):
            tlkit.layer_groups(model, groups)
        return
    parts = tlkit.layer_groups(model, groups)
    held = [id(w) for part in parts for layer in part for w in layer.trainable_weights]
    assert sorted(held) == sorted(id(v) for v in model.trainable_variables)
    assert len(parts) == groups and parts[-1][-1].name == "logits"
    sizes = [len(part) for part in parts[:-1]]
    assert not sizes or max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("name", ["efficientnet-lite0", "MobileNetV2"])
def test_backbones_with_a_head(name):
    base = tlkit.load_backbone(name, image_size=32, weights=None)
    pooled = layers.GlobalAveragePooling2D()(base.output)
    model = keras.Model(base.input, layers.Dense(3, name="logits")(pooled))
    for batch_norm_trains in (True, False):
        for layer in base.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = batch_norm_trains
        parts = tlkit.layer_groups(model, 5)
        held = [id(w) for part in parts for layer in part for w in layer.trainable_weights]
        assert sorted(held) == sorted(id(v) for v in model.trainable_variables)
        assert names(parts)[-1] == ["logits"]
        sizes = [sum(len(w.shape) > 1 for layer in p for w in layer.weights) for p in parts[:-1]]
        assert max(sizes) - min(sizes) <= 1


# --- rates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_group_moves_by_its_share(kind):
    """Under plain SGD one step is the rate times the gradient, so shares can be read off."""
    model = KINDS[kind]()
    parts = tlkit.layer_groups(model, 3)
    weights = model.get_weights()
    all_alike = moved(parts, one_step(model, optimizers.SGD(0.1)))
    model.set_weights(weights)
    keras.utils.set_random_seed(0)
    model = KINDS[kind]()
    parts = tlkit.layer_groups(model, 3)
    model.set_weights(weights)
    optimizer = tlkit.differential_optimizer(model, 0.1, 4.0, 3, optimizers.SGD)
    assert isinstance(optimizer, optimizers.MultiOptimizer)
    by_group = moved(parts, one_step(model, optimizer))
    assert all_alike.min() > 0
    np.testing.assert_allclose(by_group / all_alike, [1 / 16, 1 / 4, 1], rtol=1e-3)


def test_rates_are_those_asked_for():
    optimizer = tlkit.differential_optimizer(flat(), 1e-2, ratio=10, groups=3)
    found = [float(each.learning_rate) for each in optimizer.optimizers[:3]]
    np.testing.assert_allclose(found, [1e-4, 1e-3, 1e-2], rtol=1e-5)
    assert all(isinstance(each, optimizers.AdamW) for each in optimizer.optimizers[:3])


def test_weight_decay_follows_the_rate():
    """With a gradient of nothing, decay alone moves the weights: by rate times decay."""
    model = flat()
    parts = tlkit.layer_groups(model, 3)
    optimizer = tlkit.differential_optimizer(
        model, 0.1, 4.0, parts, lambda learning_rate: optimizers.AdamW(learning_rate, 0.5)
    )
    before = [np.array(layer.kernel) for part in parts for layer in part]
    still = [keras.ops.zeros_like(v) for v in model.trainable_variables]
    optimizer.apply(still, model.trainable_variables)
    after = [np.array(layer.kernel) for part in parts for layer in part]
    shrunk = [1 - (b / a).mean() for a, b in zip(before, after, strict=True)]
    rates = [0.1 / 16] * 2 + [0.1 / 4] * 2 + [0.1]
    np.testing.assert_allclose(shrunk, np.array(rates) * 0.5, rtol=1e-3)


SCHEDULES = optimizers.schedules


@pytest.mark.parametrize(
    "schedule",
    [
        SCHEDULES.CosineDecay(0.1, 10, alpha=0.1),
        SCHEDULES.CosineDecay(0.01, 10, warmup_target=0.1, warmup_steps=5),
        SCHEDULES.ExponentialDecay(0.1, 10, 0.9),
        SCHEDULES.InverseTimeDecay(0.1, 10, 0.9),
        SCHEDULES.PiecewiseConstantDecay([3, 6], [0.1, 0.05, 0.01]),
        SCHEDULES.PolynomialDecay(0.1, 10, end_learning_rate=0.05),
        SCHEDULES.CosineDecayRestarts(0.1, 10),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_schedules_are_slowed_as_a_whole(schedule):
    optimizer = tlkit.differential_optimizer(flat(), schedule, 4.0, 3)
    for inner, factor in zip(optimizer.optimizers[:3], (16, 4, 1), strict=True):
        for step in (0, 4, 9, 50):
            inner.iterations.assign(step)
            np.testing.assert_allclose(
                float(inner.learning_rate) * factor, float(schedule(step)), rtol=1e-4
            )


class OwnSchedule(SCHEDULES.LearningRateSchedule):
    def __init__(self, peak):
        self.peak = peak

    def __call__(self, step):
        return self.peak / (1 + step)

    def get_config(self):
        return {"peak": self.peak}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"learning_rate": 0}, "`learning_rate` is 0"),
        ({"learning_rate": -1e-3}, "a number above 0"),
        ({"learning_rate": float("nan")}, "is nan"),
        ({"learning_rate": "fast"}, "`learning_rate` is 'fast'"),
        ({"learning_rate": OwnSchedule(0.1)}, "OwnSchedule cannot be made 3 times slower"),
        ({"ratio": 0.3}, "`ratio` is 0.3. Give a number from 1 up"),
        ({"ratio": float("inf")}, "`ratio` is inf"),
        ({"ratio": "3"}, "`ratio` is '3'"),
        ({"groups": 9}, "too few"),
        ({"optimizer": lambda learning_rate: "sgd"}, "made no Keras optimizer"),
    ],
)
def test_rates_that_cannot_be(options, said):
    with pytest.raises(InputError, match=said):
        tlkit.differential_optimizer(flat(), **options)


def test_unfreezing_more_afterwards_names_the_variable_without_a_rate():
    model = flat()
    model.get_layer("a").trainable = False
    optimizer = tlkit.differential_optimizer(model, groups=2)
    model.get_layer("a").trainable = True
    model.compile(optimizer, LOSS, run_eagerly=True)
    with pytest.raises(InputError, match="'a/kernel' belongs to no group"):
        model.train_on_batch(SOME, CLASSES)


@pytest.mark.parametrize(
    ("kind", "schedule"),
    [("flat", True), ("nested", False), ("sequential", True), ("headed", False)],
)
def test_a_compiled_model_survives_saving(kind, schedule, tmp_path):
    model = KINDS[kind]()
    for each in model.layers:
        if isinstance(each, layers.Dropout):
            each.rate = 0.0
    rate = SCHEDULES.CosineDecay(0.01, 10) if schedule else 0.01
    model.compile(tlkit.differential_optimizer(model, rate, 4.0, 3), LOSS, run_eagerly=True)
    for _ in range(2):
        model.train_on_batch(SOME, CLASSES)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    ours, theirs = model.optimizer.optimizers, loaded.optimizer.optimizers
    assert len(ours) == len(theirs) == 4
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(float(one.learning_rate), float(other.learning_rate))
        assert len(one.variables) == len(other.variables)
        for a, b in zip(one.variables, other.variables, strict=True):
            np.testing.assert_array_equal(np.array(a), np.array(b))
    for each in (model, loaded):
        each.run_eagerly = True
        each.train_on_batch(SOME, CLASSES)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_saved_model_needs_no_tlkit(tmp_path):
    """Everything in the file is Keras's own, so Keras alone can load it."""
    model = flat()
    model.compile(tlkit.differential_optimizer(model, SCHEDULES.CosineDecay(0.1, 9)), LOSS)
    model.save(tmp_path / "model.keras")
    config = zipfile.ZipFile(tmp_path / "model.keras").read("config.json").decode()
    modules = set(re.findall(r'"module": "([^"]*)"', config))
    assert "keras.optimizers" in modules
    assert all(module.split(".")[0] in ("keras", "builtins") for module in modules)
    assert "tlkit" not in config


# --- the range test ---------------------------------------------------------------------------


def pictures(n=24):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    images = rng.integers(0, 100, (n, SIZE, SIZE, 3)) + 100 * labels[:, None, None, None]
    return ImageDataset(images.astype("uint8"), labels, ("dark", "light"))


def with_dropout():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, name="a")(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(layers.ReLU()(x)))
    return keras.Model(inputs, layers.Dense(2, name="logits")(x))


def state(model):
    """All that the test must leave as it was."""
    return {
        "weights": [np.array(v) for v in model.variables],
        "optimizer": [np.array(v) for v in model.optimizer.variables],
        "rate": float(model.optimizer.learning_rate),
        "compiled": (id(model.optimizer), id(model.loss), id(model.train_function)),
        "trainable": [each.trainable for each in model.layers],
        "history": model.history.history,
        "numpy": np.random.get_state()[1],
        "python": random.getstate(),
        "keras": np.array(keras.random.uniform((3,), seed=keras.random.SeedGenerator(1))),
    }


def compiled():
    model = with_dropout()
    model.compile(optimizers.Adam(1e-3), LOSS, metrics=["accuracy"])
    model.fit(pictures().images, pictures().labels, verbose=0)
    return model


def test_the_range_test_leaves_everything_as_it_was():
    model = compiled()
    before = state(model)
    tlkit.find_learning_rate(model, pictures(), steps=12, highest=10.0)
    np.testing.assert_equal(state(model), before)
    after_test = model.fit(pictures().images, pictures().labels, verbose=0, shuffle=False)
    keras.utils.set_random_seed(0)
    twin = compiled()
    without = twin.fit(pictures().images, pictures().labels, verbose=0, shuffle=False)
    np.testing.assert_allclose(after_test.history["loss"], without.history["loss"], rtol=1e-6)


def test_it_is_left_as_it_was_even_when_interrupted():
    model = compiled()
    before = state(model)

    class Stop(optimizers.SGD):
        def apply(self, *arguments, **more):
            super().apply(*arguments, **more)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tlkit.find_learning_rate(model, pictures(), Stop)
    np.testing.assert_equal(state(model), before)


def test_it_finds_where_the_loss_falls_and_bursts():
    model = with_dropout()
    found = tlkit.find_learning_rate(model, pictures(), optimizers.SGD, 1e-5, 1e4, steps=40)
    best = found.rates[found.smooth.argmin()]
    assert np.all(np.diff(found.rates) > 0) and len(found.rates) == len(found.losses) <= 40
    assert np.isfinite(found.losses).all()
    assert found.suggestion == pytest.approx(best / 10)
    assert 1e-4 < found.suggestion < 100
    assert found.smooth.min() < found.smooth[0] and found.losses[-1] > found.smooth.min()
    readings = [found.read(best * factor) for factor in (1e-4, 0.1, 0.5, 2)]
    assert [text.split(":")[0] for text in readings] == ["slow", "usable", "risky", "too large"]


def test_the_same_seed_gives_the_same_curve():
    # Its dropout starts each test alike, for its state is put back, too.
    model = with_dropout()
    curves = [tlkit.find_learning_rate(model, pictures(), steps=10, seed=n) for n in (0, 0, 1)]
    np.testing.assert_allclose(curves[0].losses, curves[1].losses, rtol=1e-5)
    assert not np.allclose(curves[0].losses, curves[2].losses)


def test_it_takes_an_optimizer_for_groups_and_the_models_own_loss():
    model = with_dropout()
    model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    )
    summed = tlkit.find_learning_rate(
        model,
        pictures(),
        lambda learning_rate: tlkit.differential_optimizer(model, learning_rate, groups=2),
        steps=10,
        batch_size=4,
    )
    assert summed.losses[0] > 1.5  # about four times log 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lowest": 0.0}, "no range test"),
        ({"lowest": 1.0, "highest": 0.1}, "no range test"),
        ({"steps": 3}, "no range test"),
        ({"steps": 20.5}, "no range test"),
        ({"batch_size": 0}, "no range test"),
        ({"lowest": 1e30, "highest": 1e38}, "no number from the first steps"),
    ],
)
def test_ranges_that_cannot_be_tested(options, said):
    with pytest.raises(InputError, match=said):
        tlkit.find_learning_rate(with_dropout(), pictures(), optimizers.SGD, **options)


def test_models_that_cannot_be_tested():
    with pytest.raises(InputError, match="Subclassed is not a model"):
        tlkit.find_learning_rate(subclassed(), pictures())
    with pytest.raises(InputError, match="no set of pictures"):
        tlkit.find_learning_rate(with_dropout(), (SOME, CLASSES))
    three = ImageDataset(pictures().images, pictures().labels, ("dark", "light", "none"))
    with pytest.raises(InputError, match="2 classes apart, the pictures have 3"):
        tlkit.find_learning_rate(with_dropout(), three)
    still = with_dropout()
    still.trainable = False
    with pytest.raises(InputError, match="Nothing trains"):
        tlkit.find_learning_rate(still, pictures())


# --- drawings ---------------------------------------------------------------------------------


def test_groups_are_drawn_readable_without_colour():
    parts = tlkit.layer_groups(flat(), 3)
    figure = tlkit.learning_rates.draw_groups(parts, rates=[1e-4, 1e-3, 1e-2])
    (axes,) = figure.axes
    assert axes.get_xlabel() and axes.get_ylabel()
    hatches = [container.patches[0].get_hatch() for container in axes.containers]
    assert len(set(hatches)) == 3
    assert [text.get_text() for text in axes.texts] == ["1", "2", "3"]
    words = figure.legends[0].get_texts()
    assert re.search(r"2: c to d, 296 parameters, rate 1.0e-03", words[1].get_text())
    assert "group 3: logits, 10 parameters" in figure.alt
    assert [bar.get_height() for bar in axes.containers[0]] == [112, 148]


def test_groups_that_cannot_be_drawn():
    parts = tlkit.layer_groups(flat(), 3)
    for wrong in ({"groups": []}, {"groups": parts * 3}, {"groups": parts, "rates": [1e-3]}):
        with pytest.raises(InputError):
            tlkit.learning_rates.draw_groups(**wrong)


def test_a_range_test_draws_itself(monkeypatch):
    rates = np.logspace(-6, 0, 7)
    losses = np.array([1.0, 1.0, 0.8, 0.4, 0.2, 0.9, 5.0])
    found = learning_rates.RangeTest(rates, losses, losses, 1e-3)
    figure = found.draw(0.5)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log" and axes.get_xlabel() and axes.get_ylabel()
    assert "too large" in axes.get_title(loc="left") and "1.0e-03" in figure.alt
    shown = []
    monkeypatch.setattr(type(figure), "_ipython_display_", lambda self: shown.append(self))
    found._ipython_display_()
    assert len(shown) == 1

"""The tools that the package uses Keras with: on flat, nested, Sequential and subclassed models."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tlkit import keras_tools as tools
from tlkit.errors import InputError


def base(name="base"):
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(2, 3, name="block_1_conv")(inputs)
    x = layers.ReLU(name="block_1")(x)
    x = layers.Conv2D(2, 3, name="block_10")(x)
    return keras.Model(inputs, x, name=name)


def nested():
    inputs = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D(name="pool")(base()(inputs / 255))
    head = keras.Sequential([keras.Input((2,)), layers.Dense(3, name="logits")], name="head")
    return keras.Model(inputs, head(x), name="outer")


def sequential():
    parts = [base(), layers.GlobalAveragePooling2D(name="pool"), layers.Dense(3, name="logits")]
    return keras.Sequential(parts, name="outer")


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="outer")
        self.base, self.pool = base(), layers.GlobalAveragePooling2D(name="pool")
        self.logits = layers.Dense(3, name="logits")

    def call(self, x):
        return self.logits(self.pool(self.base(x)))


class Block(layers.Layer):
    """A layer that is made of layers."""

    def __init__(self):
        super().__init__(name="made_up")
        self.conv, self.bn = layers.Conv2D(2, 3, name="conv"), layers.BatchNormalization(name="bn")

    def call(self, x):
        return self.bn(self.conv(x))


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


ALL = pytest.mark.parametrize("make", [nested, sequential, subclassed])
IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")


def names(found):
    return [layer.name for layer in found if not isinstance(layer, layers.InputLayer)]


# --- layers -----------------------------------------------------------------------------------


@ALL
def test_leaves_come_from_early_to_late_through_nested_models(make):
    found = names(tools.leaf_layers(make()))
    assert found == ["block_1_conv", "block_1", "block_10", "pool", "logits"]


def test_a_layer_made_of_layers_is_opened_or_taken_whole():
    model = keras.Sequential([keras.Input((8, 8, 3)), Block()])
    assert names(tools.leaf_layers(model)) == ["conv", "bn"]
    assert names(tools.leaf_layers(model, whole=True)) == ["made_up"]


def test_a_layer_that_is_used_twice_comes_once():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, name="dense")
    model = keras.Model(inputs, dense(dense(inputs)))
    assert names(tools.leaf_layers(model)) == ["dense"]
    assert names(tools.leaf_layers([dense, model])) == ["dense"]


@ALL
def test_layers_are_found_wherever_they_stand(make):
    model = make()
    for name in ("block_1", "logits", "base", "base/block_1_conv"):
        assert tools.find_layer(model, name).name == name.split("/")[-1]
    assert tools.find_layer(model, "base").layers


def test_an_unknown_layer_brings_the_nearest_to_mind():
    with pytest.raises(InputError, match=r"'outer' has no layer 'blok_10'. Did you mean block_10"):
        tools.find_layer(nested(), "blok_10")
    with pytest.raises(InputError, match=r"Use one of: .*'pool'"):
        tools.find_layer(nested(), 7)


def test_of_several_layers_of_a_name_one_is_asked_for():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, [base("one")(inputs), base("two")(inputs)])
    with pytest.raises(InputError, match="one/block_1, two/block_1"):
        tools.find_layer(model, "block_1")
    assert tools.find_layer(model, "two/block_1") is model.get_layer("two").get_layer("block_1")


def test_a_block_begins_with_its_first_layer_and_a_number_is_no_part():
    leaves = tools.leaf_layers(nested(), whole=True)
    assert leaves[tools.place_of("block_1", leaves, "net")].name == "block_1_conv"
    assert leaves[tools.place_of("block_10", leaves, "net")].name == "block_10"
    with pytest.raises(InputError, match=r"'net' has no layer 'blok_1'. Did you mean"):
        tools.place_of("blok_1", leaves, "net")


@ALL
def test_what_flows_through_any_layer_is_heard(make):
    model, heard = make(), []
    watched = [tools.find_layer(model, name) for name in ("block_1_conv", "logits")]
    with tools.listening(watched, lambda *what: heard.append(what)):
        outputs = model(IMAGES, training=False)
    assert names(layer for layer, _, _ in heard) == ["block_1_conv", "logits"]
    assert heard[0][1].shape == (2, 8, 8, 3) and heard[0][2].shape == (2, 6, 6, 2)
    np.testing.assert_array_equal(heard[1][2], outputs)
    model(IMAGES)
    assert len(heard) == 2 and all("call" not in vars(layer) for layer in watched)


@ALL
def test_gradients_reach_what_is_heard(make):
    model = make()
    model.trainable = False
    seen = []
    with tf.GradientTape() as tape:

        def hear(_layer, _given, maps):
            tape.watch(maps)
            seen.append(maps)

        with tools.listening([tools.find_layer(model, "block_10")], hear):
            logit = model(IMAGES, training=False)[0, 0]
    slope = tape.gradient(logit, seen[0]).numpy()
    # Pooling spreads the weight of each channel evenly over the places.
    kernel = np.array(tools.find_layer(model, "logits").kernel)[:, 0]
    np.testing.assert_allclose(slope[0], np.broadcast_to(kernel / 16, (4, 4, 2)), rtol=1e-5)


def test_an_error_in_between_leaves_the_layers_as_they_were():
    model = nested()
    layer = tools.find_layer(model, "block_1")
    with pytest.raises(RuntimeError), tools.listening([layer], lambda *_: None):
        raise RuntimeError
    assert "call" not in vars(layer)


# --- states -----------------------------------------------------------------------------------


def some_random_numbers():
    rows = tf.data.Dataset.range(9).shuffle(9)
    return [
        random.random(),
        np.random.random(),
        float(keras.random.uniform(())),
        float(tf.random.uniform(())),
        *layers.Dense(2).kernel_initializer((1, 2)).numpy().ravel().tolist(),
        *rows.as_numpy_iterator(),
    ]


def test_a_seed_decides_all_that_is_random():
    found = []
    for seed in (1, 1, 2):
        with tools.seeded(seed):
            found.append(some_random_numbers())
    assert found[0] == found[1] != found[2]
    keras.utils.set_random_seed(1)
    assert some_random_numbers() == found[0]


@pytest.mark.parametrize("disturb", [False, True])
def test_afterwards_it_is_as_if_there_had_been_no_seed(disturb):
    keras.utils.set_random_seed(5)
    first = some_random_numbers()
    if disturb:
        with pytest.raises(KeyError), tools.seeded(1):
            some_random_numbers()
            raise KeyError
    then = some_random_numbers()
    keras.utils.set_random_seed(5)
    assert (some_random_numbers(), some_random_numbers()) == (first, then)


def test_variables_are_put_back_whatever_happens():
    model = nested()
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt), tools.put_back(model.variables):
        model.set_weights([weight + 1 for weight in before])
        raise KeyboardInterrupt
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


# --- models -----------------------------------------------------------------------------------


def test_models_that_will_do_come_back():
    model = nested()
    assert tools.built_model(model) is tools.open_model(model) is model
    assert tools.count_classes(model) == tools.count_classes(subclassed_with_shape()) == 3
    found = tools.logits(model(IMAGES))
    assert found.dtype == np.float32 and found.shape == (2, 3)


def subclassed_with_shape():
    model = sequential()
    model.build((None, 8, 8, 3))
    return model


def test_models_that_will_not_do_are_refused():
    with pytest.raises(InputError, match="function is not a Keras model"):
        tools.built_model(lambda x: x)
    with pytest.raises(InputError, match=r"built.*call it once"):
        tools.built_model(Subclassed())
    with pytest.raises(InputError, match="Subclassed is not a model whose layers can be read"):
        tools.open_model(subclassed())
    two = [keras.Input((3,)), keras.Input((3,))]
    with pytest.raises(InputError, match="has 2 inputs"):
        tools.open_model(keras.Model(two, layers.Add()(two)))


@pytest.mark.parametrize("outputs", [lambda x: x, lambda x: [x, x]])
def test_maps_and_several_outputs_are_no_classes(outputs):
    inputs = keras.Input((8, 8, 3))
    with pytest.raises(InputError, match=r"teacher.s output .*not \(N, classes\)"):
        tools.count_classes(keras.Model(inputs, outputs(base()(inputs))), "teacher")


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (np.eye(3), "The teacher gives probabilities"),
        (np.full((2, 3), np.nan), "NaN"),
        (np.zeros((2, 3, 1)), r"not \(N, classes\)"),
        ("large", r"not \(N, classes\)"),
    ],
)
def test_what_are_no_logits_is_refused(outputs, said):
    with pytest.raises(InputError, match=said):
        tools.logits(outputs, "teacher")

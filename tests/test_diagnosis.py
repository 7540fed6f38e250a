"""`diagnose`: every known mistake is named, alone, and no correct model is blamed.

Pretrained weights are imitated: random ones, with offsets and batch-norm statistics as a training
on the very pictures would leave them.
"""

import keras
import numpy as np
import pytest
from keras import layers, losses, optimizers

import tlkit
from tlkit._findings import KNOWN, Findings
from tlkit._layers import leaf_layers
from tlkit.errors import InputError

SIZE, CLASSES = 32, 3
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (24, SIZE, SIZE, 3)).astype("uint8")
LABELS = np.arange(24) % CLASSES
DATA = tlkit.ImageDataset(IMAGES, LABELS, ("a", "b", "c"))
TWO = tlkit.ImageDataset(IMAGES, np.arange(24) % 2, ("a", "b"))
ONE_HOT = (IMAGES, np.eye(CLASSES)[LABELS])


# --- building models ---------------------------------------------------------------------------


def pretend_pretrained(model):
    """Give a network's layers what training on these pictures would have left in them."""
    generator = np.random.default_rng(1)
    normalisers = [x for x in leaf_layers(model) if isinstance(x, layers.BatchNormalization)]
    for layer in leaf_layers(model):
        bias = layer.beta if layer in normalisers else getattr(layer, "bias", None)
        if bias is not None:
            bias.assign(generator.normal(size=bias.shape) * 0.1)
        if hasattr(layer, "kernel"):
            layer.kernel.assign(layer.kernel * generator.lognormal(size=layer.kernel.shape))
    for layer in normalisers:
        layer.momentum = 0.0
    model(IMAGES.astype("float32"), training=True)
    for layer in normalisers:
        layer.momentum = 0.99
    return model


@pytest.fixture(scope="session")
def mobilenet_once():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    base = keras.applications.MobileNet(
        input_tensor=x, alpha=0.25, weights=None, include_top=False, input_shape=(SIZE, SIZE, 3)
    )
    base = keras.Model(inputs, base.output, name="mobilenet")
    new = base.get_weights()
    learnt = pretend_pretrained(base).get_weights()
    return base, new, learnt


def unfreeze_all(model):
    """Keras takes True for done on a model that is True already, whatever is inside."""
    model.trainable = False
    model.trainable = True


@pytest.fixture
def mobilenet(mobilenet_once):
    base, _, learnt = mobilenet_once
    unfreeze_all(base)
    base.set_weights(learnt)
    return base


@pytest.fixture
def new_mobilenet(mobilenet_once):
    base, new, _ = mobilenet_once
    unfreeze_all(base)
    base.set_weights(new)
    return base


def small(batch_norm=False, scale=True):
    """A little network from pictures to maps."""
    stack = [keras.Input((SIZE, SIZE, 3))]
    stack += [layers.Rescaling(1 / 127.5, offset=-1)] * scale
    for filters in (8, 12):
        stack.append(layers.Conv2D(filters, 3, strides=2, use_bias=not batch_norm))
        stack += [layers.BatchNormalization()] * batch_norm
        stack.append(layers.ReLU())
    return keras.Sequential(stack)


def small_pretrained(batch_norm=False, scale=True):
    return pretend_pretrained(small(batch_norm, scale))


def with_head(base, settled=False, **options):
    """The base as one layer, pooling, and a head."""
    head = layers.Dense(options.pop("width", CLASSES), **options)
    model = keras.Sequential([base, layers.GlobalAveragePooling2D(), head])
    if settled:
        settle(head)
    return model


def settle(head):
    generator = np.random.default_rng(2)
    head.set_weights([generator.normal(size=w.shape) * 0.3 for w in head.weights])


class Subclassed(keras.Model):
    def __init__(self, base):
        super().__init__()
        self.head = layers.Dense(CLASSES)  # before the base on purpose
        self.base = base
        self.pool = layers.GlobalAveragePooling2D()

    def call(self, pictures, training=None):
        return self.head(self.pool(self.base(pictures, training=training)))


def subclassed(base, settled=False):
    model = Subclassed(base)
    model(IMAGES[:1].astype("float32"))
    if settled:
        settle(model.head)
    return model


def loss(**options):
    return losses.SparseCategoricalCrossentropy(**{"from_logits": True, **options})


def compiled(model, optimizer=None, with_loss=None):
    # Building a graph takes longer than the few steps that these tests train for.
    model.compile(optimizer or optimizers.Adam(1e-3), with_loss or loss(), run_eagerly=True)
    return model


def fitted(model, data=DATA, epochs=1):
    images, labels = (data.images, data.labels) if data is DATA else data
    model.fit(images, labels, epochs=epochs, batch_size=12, verbose=0)
    return model


def frozen(base):
    base.trainable = False
    return base


def names(model, data=DATA):
    return [each.name for each in tlkit.diagnose(model, data)]


# --- correct models ----------------------------------------------------------------------------

RIGHT = {}


def right(build):
    RIGHT[build.__name__.replace("_", " ")] = build
    return build


@right
def head_on_frozen_mobilenet(mobilenet, new_mobilenet):
    return compiled(with_head(frozen(mobilenet())))


@right
def functional_nested_with_training_false(mobilenet, new_mobilenet):
    inputs = keras.Input((SIZE, SIZE, 3))
    x = frozen(mobilenet())(inputs, training=False)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return compiled(keras.Model(inputs, layers.Dense(CLASSES)(x)), optimizers.Adam(1e-2))


@right
def mobilenet_unfrozen_late_under_a_settled_head(mobilenet, new_mobilenet):
    model = with_head(mobilenet(), settled=True)
    tlkit.unfreeze(model, "conv_pw_13")
    return compiled(model, optimizers.Adam(1e-4))


@right
def mobilenet_unfrozen_wholly_with_attached_head(mobilenet, new_mobilenet):
    head = tlkit.fit_linear_head(rng.normal(size=(24, 256)), LABELS)
    model = tlkit.attach_head(mobilenet(), head)
    tlkit.unfreeze(model)
    return compiled(model, optimizers.Adam(1e-5))


@right
def mobilenet_from_scratch(mobilenet, new_mobilenet):
    return compiled(with_head(new_mobilenet()), optimizers.Adam(3e-3))


@right
def subclassed_head_on_frozen_mobilenet(mobilenet, new_mobilenet):
    return compiled(subclassed(frozen(mobilenet())))


@right
def subclassed_from_scratch(mobilenet, new_mobilenet):
    return compiled(subclassed(small(batch_norm=True)))


@right
def subclassed_fine_tuned(mobilenet, new_mobilenet):
    model = subclassed(small_pretrained(batch_norm=True), settled=True)
    tlkit.unfreeze(model)
    return fitted(compiled(model, optimizers.Adam(1e-4)))


@right
def small_network_not_compiled(mobilenet, new_mobilenet):
    return tlkit.small_network(SIZE, CLASSES)


@right
def small_network_trained_from_scratch_at_a_high_rate(mobilenet, new_mobilenet):
    return fitted(compiled(tlkit.small_network(SIZE, CLASSES), optimizers.Adam(1e-2)), epochs=3)


@right
def batch_norm_trained_from_scratch(mobilenet, new_mobilenet):
    return fitted(compiled(with_head(small(batch_norm=True)), optimizers.Adam(3e-3)), epochs=3)


@right
def trained_from_scratch_with_sgd(mobilenet, new_mobilenet):
    model = with_head(small(batch_norm=True))
    return fitted(compiled(model, optimizers.SGD(0.1, momentum=0.9)))


@right
def softmax_and_a_loss_that_wants_it(mobilenet, new_mobilenet):
    model = with_head(small(), activation="softmax")
    return compiled(model, with_loss="sparse_categorical_crossentropy")


@right
def one_sigmoid_for_two_classes(mobilenet, new_mobilenet):
    model = with_head(small(), width=1, activation="sigmoid")
    return compiled(model, with_loss="binary_crossentropy"), TWO


@right
def one_logit_for_two_classes(mobilenet, new_mobilenet):
    with_loss = losses.BinaryCrossentropy(from_logits=True)
    return compiled(with_head(small(), width=1), with_loss=with_loss), TWO


@right
def one_hot_labels(mobilenet, new_mobilenet):
    with_loss = losses.CategoricalCrossentropy(from_logits=True)
    return compiled(with_head(small()), with_loss=with_loss), ONE_HOT


@right
def no_batch_norm_all_layers_from_a_warm_start(mobilenet, new_mobilenet):
    return compiled(with_head(small_pretrained(), settled=True), optimizers.SGD(1e-3, 0.9))


@right
def rate_that_warms_up(mobilenet, new_mobilenet):
    model = with_head(small_pretrained(), settled=True)
    schedule = optimizers.schedules.CosineDecay(0.0, 500, warmup_target=1e-4, warmup_steps=50)
    return compiled(model, optimizers.Adam(schedule))


@right
def pictures_scaled_outside_for_a_network_that_does_not(mobilenet, new_mobilenet):
    return compiled(with_head(small(scale=False))), (IMAGES / 255, LABELS)


@right
def batch_norm_as_the_first_layer(mobilenet, new_mobilenet):
    first = keras.Sequential([keras.Input((SIZE, SIZE, 3)), layers.BatchNormalization()])
    return compiled(with_head(keras.Sequential([first, *small(scale=False).layers])))


@right
def vgg_with_its_own_preprocessing(mobilenet, new_mobilenet):
    inputs = keras.Input((SIZE, SIZE, 3))
    prepared = keras.applications.vgg16.preprocess_input(inputs)
    conv = layers.Conv2D(8, 3, activation="relu")  # as VGG-16 begins
    return compiled(with_head(frozen(pretend_pretrained(keras.Model(inputs, conv(prepared))))))


@right
def both_phases_with_an_optimizer_each(mobilenet, new_mobilenet):
    base = frozen(small_pretrained(batch_norm=True))
    model = fitted(compiled(with_head(base)))
    tlkit.unfreeze(model)
    return fitted(compiled(model, optimizers.Adam(1e-4)))


@right
def read_back_from_a_file(mobilenet, new_mobilenet, folder):
    model = fitted(compiled(with_head(small(batch_norm=True)), optimizers.Adam(3e-3)))
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


@right
def a_rate_for_each_group(mobilenet, new_mobilenet):
    model = with_head(small_pretrained(), settled=True)
    each = {"group": optimizers.Adam(1e-4)}
    optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.Adam(1e-3), each))
    return compiled(model, optimizer)


@right
def all_pictures_black(mobilenet, new_mobilenet):
    return compiled(with_head(small())), (np.zeros_like(IMAGES), LABELS)


@pytest.mark.parametrize("case", RIGHT)
def test_no_correct_model_is_blamed(case, request, tmp_path):
    assert names(*build(RIGHT[case], request, tmp_path)) == []


def build(builder, request, tmp_path):
    """The model of a builder, and its data; the fixtures are asked for when they are needed."""
    lend = [lambda name=n: request.getfixturevalue(name) for n in ("mobilenet", "new_mobilenet")]
    more = [tmp_path] if "folder" in builder.__code__.co_varnames else []
    made = builder(*lend, *more)
    return made if isinstance(made, tuple) else (made, DATA)


# --- broken ones -------------------------------------------------------------------------------

BROKEN = {}


def broken(name):
    def note(builder):
        BROKEN[builder.__name__.replace("_", " ")] = (name, builder)
        return builder

    return note


@broken("batch norm will move")
def unfrozen_by_the_popular_recipe(mobilenet, new_mobilenet):
    inputs = keras.Input((SIZE, SIZE, 3))
    base = mobilenet()
    x = layers.GlobalAveragePooling2D()(base(inputs))
    head = layers.Dense(CLASSES)
    model = keras.Model(inputs, head(x))
    settle(head)
    base.trainable = True
    return compiled(model, optimizers.Adam(1e-5))


@broken("batch norm will move")
def late_layers_unfrozen_with_their_batch_norm(mobilenet, new_mobilenet):
    base = mobilenet()
    for layer in base.layers[:-20]:
        layer.trainable = False
    return compiled(with_head(base, settled=True), optimizers.Adam(1e-4))


@broken("batch norm will move")
def batch_norm_that_has_begun_to_move(mobilenet, new_mobilenet):
    model = with_head(small_pretrained(batch_norm=True), settled=True)
    return fitted(compiled(model, optimizers.Adam(1e-4)))


@broken("batch norm will move")
def subclassed_with_live_batch_norm(mobilenet, new_mobilenet):
    return subclassed(small_pretrained(batch_norm=True), settled=True)


@broken("trainable changed since compile")
def unfrozen_and_not_compiled_again(mobilenet, new_mobilenet):
    base = frozen(small_pretrained())
    model = fitted(compiled(with_head(base)))
    base.trainable = True
    return model


@broken("trainable changed since compile")
def frozen_and_not_compiled_again(mobilenet, new_mobilenet):
    model = fitted(compiled(with_head(small())))
    model.layers[0].trainable = False
    return model


@broken("everything is frozen")
def wholly_frozen(mobilenet, new_mobilenet):
    model = with_head(mobilenet(), settled=True)
    model.trainable = False
    return compiled(model)


@broken("nothing is frozen")
def nothing_frozen_under_a_new_head(mobilenet, new_mobilenet):
    return compiled(with_head(small_pretrained()))


@broken("only the head trains")
def unfreezing_forgotten(mobilenet, new_mobilenet):
    return compiled(with_head(frozen(mobilenet()), settled=True), optimizers.Adam(1e-5))


@broken("inputs scaled twice")
def scaled_outside_as_well(mobilenet, new_mobilenet):
    return compiled(with_head(frozen(mobilenet()))), (IMAGES / 255, LABELS)


@broken("inputs scaled twice")
def two_rescalings_in_a_new_network(mobilenet, new_mobilenet):
    twice = [keras.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255), layers.Rescaling(1 / 255)]
    return compiled(with_head(keras.Sequential([*twice, *small(scale=False).layers])))


@broken("inputs not scaled")
def raw_pictures_for_a_new_network(mobilenet, new_mobilenet):
    return compiled(with_head(small(scale=False)))


@broken("inputs not scaled")
def preprocessing_forgotten_before_a_pretrained_network(mobilenet, new_mobilenet):
    inputs = keras.Input((SIZE, SIZE, 3))
    base = small_pretrained(batch_norm=True)
    without = keras.Sequential([inputs, *base.layers[1:]])
    return compiled(with_head(frozen(without)))


@broken("softmax twice")
def softmax_in_the_model_and_in_the_loss(mobilenet, new_mobilenet):
    return compiled(with_head(small(), activation="softmax"))


@broken("softmax twice")
def sigmoid_in_the_model_and_in_the_loss(mobilenet, new_mobilenet):
    with_loss = losses.BinaryCrossentropy(from_logits=True)
    return compiled(with_head(small(), width=1, activation="sigmoid"), with_loss=with_loss), TWO


@broken("softmax twice")
def two_softmax_layers(mobilenet, new_mobilenet):
    model = with_head(small(), activation="softmax")
    model.add(layers.Softmax())
    return compiled(model, with_loss="sparse_categorical_crossentropy")


@broken("logits taken for probabilities")
def loss_without_from_logits(mobilenet, new_mobilenet):
    model = with_head(frozen(mobilenet()))
    return compiled(model, with_loss="sparse_categorical_crossentropy")


@broken("logits taken for probabilities")
def subclassed_with_a_loss_without_from_logits(mobilenet, new_mobilenet):
    return compiled(subclassed(small()), with_loss=loss(from_logits=False))


@broken("head does not fit the classes")
def old_head_of_another_width(mobilenet, new_mobilenet):
    return compiled(with_head(frozen(mobilenet()), width=10))


@broken("head does not fit the classes")
def head_too_narrow_for_the_labels(mobilenet, new_mobilenet):
    return compiled(with_head(small(), width=2)), (IMAGES, LABELS)


@broken("labels do not fit the loss")
def one_hot_labels_for_a_sparse_loss(mobilenet, new_mobilenet):
    return compiled(with_head(small())), ONE_HOT


@broken("labels do not fit the loss")
def whole_numbers_for_a_categorical_loss(mobilenet, new_mobilenet):
    with_loss = losses.CategoricalCrossentropy(from_logits=True)
    return compiled(with_head(small()), with_loss=with_loss)


@broken("learning rate too high")
def fine_tuning_at_the_rate_of_a_head(mobilenet, new_mobilenet):
    model = with_head(mobilenet(), settled=True)
    tlkit.unfreeze(model)
    return compiled(model, optimizers.Adam(1e-2))


@broken("learning rate too high")
def sgd_far_too_fast(mobilenet, new_mobilenet):
    return compiled(with_head(small_pretrained(), settled=True), optimizers.SGD(1.0))


@broken("learning rate too low")
def fine_tuning_at_a_rate_that_does_nothing(mobilenet, new_mobilenet):
    model = with_head(mobilenet(), settled=True)
    tlkit.unfreeze(model)
    return compiled(model, optimizers.AdamW(1e-8))


@broken("head is not trained yet")
def unfrozen_before_the_head_was_trained(mobilenet, new_mobilenet):
    model = with_head(mobilenet())
    tlkit.unfreeze(model, "conv_pw_13")
    return compiled(model, optimizers.Adam(1e-4))


@broken("head is not trained yet")
def new_head_without_bias(mobilenet, new_mobilenet):
    model = with_head(small_pretrained(), use_bias=False)
    model.layers[0].layers[1].trainable = False
    return model


@broken("optimizer carried over")
def the_same_optimizer_for_both_phases(mobilenet, new_mobilenet):
    base, optimizer = frozen(small_pretrained()), optimizers.Adam(1e-3)
    model = fitted(compiled(with_head(base), optimizer))
    base.trainable = True
    return compiled(model, optimizer)


@broken("optimizer carried over")
def the_same_optimizer_again(mobilenet, new_mobilenet):
    optimizer = optimizers.Adam(1e-3)
    return compiled(fitted(compiled(with_head(small()), optimizer)), optimizer)


@pytest.mark.parametrize("case", BROKEN)
def test_each_mistake_is_named_and_nothing_else(case, request, tmp_path):
    name, builder = BROKEN[case]
    assert names(*build(builder, request, tmp_path)) == [name]


def test_every_known_finding_has_a_broken_model():
    assert {name for name, _ in BROKEN.values()} == set(KNOWN)
    assert len(RIGHT) >= 12


# --- what it does beside -----------------------------------------------------------------------


@pytest.mark.parametrize("data", [None, DATA], ids=["no data", "data"])
def test_looking_changes_nothing(mobilenet, data):
    model = with_head(mobilenet, settled=True)
    model.add(layers.Dropout(0.5))
    compiled(model, optimizers.Adam(1e-2))
    before = [np.array(variable) for variable in model.variables]
    flags = [layer.trainable for layer in leaf_layers(model)]
    found = tlkit.diagnose(model, data)
    assert {each.name for each in found} == {"batch norm will move", "learning rate too high"}
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert flags == [layer.trainable for layer in leaf_layers(model)]
    assert all("call" not in vars(layer) for layer in leaf_layers(model))


def test_several_mistakes_come_errors_first():
    model = compiled(with_head(small_pretrained()), optimizers.Adam(0.5), loss(from_logits=False))
    found = tlkit.diagnose(model, (IMAGES / 255, LABELS))
    assert [each.severity for each in found] == sorted(each.severity for each in found)
    assert {each.name for each in found} == {
        "inputs scaled twice",
        "learning rate too high",
        "logits taken for probabilities",
        "nothing is frozen",
    }


def test_a_table_in_the_terminal_and_in_a_notebook():
    found = tlkit.diagnose(compiled(with_head(small(), activation="softmax")), DATA)
    assert isinstance(found, Findings) and len(found) == 1
    lines = repr(found).splitlines()
    assert lines[0].split()[:2] == ["finding", "severity"]
    assert lines[2].startswith("softmax twice") and max(map(len, lines)) <= 100
    assert found._repr_html_().count("<tr>") == 2
    assert repr(Findings()) == "Nothing found." and "Nothing found" in Findings()._repr_html_()


def test_without_data_what_needs_none_is_still_found():
    assert names(compiled(with_head(small(), activation="softmax")), None) == ["softmax twice"]
    assert names(compiled(subclassed(small())), None) == []


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(InputError, match="not a Keras model"):
        tlkit.diagnose(lambda x: x)
    with pytest.raises(InputError, match="call it once"):
        tlkit.diagnose(Subclassed(keras.Sequential([layers.Conv2D(2, 3)])))
    with pytest.raises(InputError, match="cannot take pictures"):
        tlkit.diagnose(tlkit.small_network(SIZE, CLASSES), (IMAGES[..., :1], LABELS))

"""Models for `diagnose`: correct ones, and for each known mistake some that make it.

The tests and `benchmarks/diagnose.py` use them. Pretrained weights are imitated: random ones, with
offsets and batch-norm statistics as a training on the very pictures would leave them.
"""

import functools
import inspect

import keras
import numpy as np
from keras import layers, losses, optimizers

import tlkit
from tlkit.keras_tools import leaf_layers

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


@functools.cache
def _mobilenet_once():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    base = keras.applications.MobileNet(
        input_tensor=x, alpha=0.25, weights=None, include_top=False, input_shape=(SIZE, SIZE, 3)
    )
    base = keras.Model(inputs, base.output, name="mobilenet")
    new = base.get_weights()
    return base, new, pretend_pretrained(base).get_weights()


def unfreeze_all(model):
    """Keras takes True for done on a model that is True already, whatever is inside."""
    model.trainable = False
    model.trainable = True


def mobilenet():
    """As if it were pretrained. There is one network, which takes long to build: use it once."""
    base, _, learnt = _mobilenet_once()
    unfreeze_all(base)
    base.set_weights(learnt)
    return base


def new_mobilenet():
    """The same network, from scratch."""
    base, new, _ = _mobilenet_once()
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


# --- correct models ----------------------------------------------------------------------------

RIGHT = {}


def right(build):
    RIGHT[build.__name__.replace("_", " ")] = build
    return build


@right
def head_on_frozen_mobilenet():
    return compiled(with_head(frozen(mobilenet())))


@right
def functional_nested_with_training_false():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = frozen(mobilenet())(inputs, training=False)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return compiled(keras.Model(inputs, layers.Dense(CLASSES)(x)), optimizers.Adam(1e-2))


@right
def mobilenet_unfrozen_late_under_a_settled_head():
    model = with_head(mobilenet(), settled=True)
    tlkit.unfreeze(model, "conv_pw_13")
    return compiled(model, optimizers.Adam(1e-4))


@right
def mobilenet_unfrozen_wholly_with_attached_head():
    head = tlkit.fit_linear_head(rng.normal(size=(24, 256)), LABELS)
    model = tlkit.attach_head(mobilenet(), head)
    tlkit.unfreeze(model)
    return compiled(model, optimizers.Adam(1e-5))


@right
def mobilenet_from_scratch():
    return compiled(with_head(new_mobilenet()), optimizers.Adam(3e-3))


@right
def subclassed_head_on_frozen_mobilenet():
    return compiled(subclassed(frozen(mobilenet())))


@right
def subclassed_from_scratch():
    return compiled(subclassed(small(batch_norm=True)))


@right
def subclassed_fine_tuned():
    model = subclassed(small_pretrained(batch_norm=True), settled=True)
    tlkit.unfreeze(model)
    return fitted(compiled(model, optimizers.Adam(1e-4)))


@right
def small_network_not_compiled():
    return tlkit.small_network(SIZE, CLASSES)


@right
def small_network_trained_from_scratch_at_a_high_rate():
    return fitted(compiled(tlkit.small_network(SIZE, CLASSES), optimizers.Adam(1e-2)), epochs=3)


@right
def batch_norm_trained_from_scratch():
    return fitted(compiled(with_head(small(batch_norm=True)), optimizers.Adam(3e-3)), epochs=3)


@right
def trained_from_scratch_with_sgd():
    model = with_head(small(batch_norm=True))
    return fitted(compiled(model, optimizers.SGD(0.1, momentum=0.9)))


@right
def softmax_and_a_loss_that_wants_it():
    model = with_head(small(), activation="softmax")
    return compiled(model, with_loss="sparse_categorical_crossentropy")


@right
def softmax_that_keras_looks_behind():
    return compiled(with_head(small(), activation="softmax"))


@right
def sigmoid_that_keras_looks_behind():
    with_loss = losses.BinaryCrossentropy(from_logits=True)
    return compiled(with_head(small(), width=1, activation="sigmoid"), with_loss=with_loss), TWO


@right
def a_sigmoid_for_each_class():
    model = with_head(small(), activation="sigmoid")
    return compiled(model, with_loss="sparse_categorical_crossentropy")


@right
def one_sigmoid_for_two_classes():
    model = with_head(small(), width=1, activation="sigmoid")
    return compiled(model, with_loss="binary_crossentropy"), TWO


@right
def one_logit_for_two_classes():
    with_loss = losses.BinaryCrossentropy(from_logits=True)
    return compiled(with_head(small(), width=1), with_loss=with_loss), TWO


@right
def one_hot_labels():
    with_loss = losses.CategoricalCrossentropy(from_logits=True)
    return compiled(with_head(small()), with_loss=with_loss), ONE_HOT


@right
def no_batch_norm_all_layers_from_a_warm_start():
    return compiled(with_head(small_pretrained(), settled=True), optimizers.SGD(1e-3, 0.9))


@right
def rate_that_warms_up():
    model = with_head(small_pretrained(), settled=True)
    schedule = optimizers.schedules.CosineDecay(0.0, 500, warmup_target=1e-4, warmup_steps=50)
    return compiled(model, optimizers.Adam(schedule))


@right
def pictures_scaled_outside_for_a_network_that_does_not():
    return compiled(with_head(small(scale=False))), (IMAGES / 255, LABELS)


@right
def batch_norm_as_the_first_layer():
    first = keras.Sequential([keras.Input((SIZE, SIZE, 3)), layers.BatchNormalization()])
    return compiled(with_head(keras.Sequential([first, *small(scale=False).layers])))


@right
def vgg_with_its_own_preprocessing():
    inputs = keras.Input((SIZE, SIZE, 3))
    prepared = keras.applications.vgg16.preprocess_input(inputs)
    conv = layers.Conv2D(8, 3, activation="relu")  # as VGG-16 begins
    return compiled(with_head(frozen(pretend_pretrained(keras.Model(inputs, conv(prepared))))))


@right
def both_phases_with_an_optimizer_each():
    base = frozen(small_pretrained(batch_norm=True))
    model = fitted(compiled(with_head(base)))
    tlkit.unfreeze(model)
    return fitted(compiled(model, optimizers.Adam(1e-4)))


@right
def read_back_from_a_file(folder):
    model = fitted(compiled(with_head(small(batch_norm=True)), optimizers.Adam(3e-3)))
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


@right
def a_rate_for_each_group():
    model = with_head(small_pretrained(), settled=True)
    each = {"group": optimizers.Adam(1e-4)}
    optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.Adam(1e-3), each))
    return compiled(model, optimizer)


@right
def all_pictures_black():
    return compiled(with_head(small())), (np.zeros_like(IMAGES), LABELS)


@right
def regression_with_whole_numbers():
    return compiled(with_head(small(), width=1), with_loss=losses.Huber()), (IMAGES, np.arange(24))


@right
def regression_with_several_answers():
    return compiled(with_head(small(), width=4), with_loss="mse"), (IMAGES, rng.random((24, 4)))


@right
def several_labels_for_each_picture():
    with_loss = losses.BinaryCrossentropy(from_logits=True)
    labels = rng.integers(0, 2, (24, CLASSES)).astype("float32")
    return compiled(with_head(small()), with_loss=with_loss), (IMAGES, labels)


@right
def biases_that_begin_at_a_number_of_their_own():
    stack = [keras.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255)]
    stack += [layers.Conv2D(8, 3, activation="relu", bias_initializer="ones")]
    start = keras.initializers.Constant(-2.0)
    model = with_head(keras.Sequential(stack), bias_initializer=start)
    return compiled(model, optimizers.Adam(3e-3))


@right
def layer_norm_that_takes_pictures_of_any_strength():
    stack = [keras.Input((SIZE, SIZE, 3)), layers.LayerNormalization(), layers.Conv2D(8, 3)]
    return compiled(with_head(keras.Sequential(stack)))


@right
def augmentation_and_max_pooling_around_a_frozen_network():
    shake = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomContrast(0.2)])
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.GlobalMaxPooling2D()(frozen(small_pretrained(batch_norm=True))(shake(inputs)))
    return compiled(keras.Model(inputs, layers.Dense(CLASSES)(x)))


@right
def two_answers_from_one_network():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.GlobalAveragePooling2D()(small()(inputs))
    model = keras.Model(inputs, [layers.Dense(CLASSES)(x), layers.Dense(1)(x)])
    model.compile("adam", [loss(), "mse"])
    return model


@right
def sigmoid_in_the_call_of_a_subclass():
    class Ours(Subclassed):
        def __init__(self):
            super().__init__(small())
            self.head = layers.Dense(1)

        def call(self, pictures, training=None):
            return keras.ops.sigmoid(super().call(pictures, training))

    model = Ours()
    model(IMAGES[:1].astype("float32"))
    return compiled(model, with_loss="binary_crossentropy"), TWO


@right
def rate_lowered_during_a_training_from_scratch():
    model = compiled(with_head(small(batch_norm=True)), optimizers.Adam(1e-2))
    lower = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-2 * 0.01**epoch)
    model.fit(IMAGES, LABELS, batch_size=12, epochs=3, callbacks=[lower], verbose=0)
    return model


@right
def rate_inside_a_loss_scale():
    model = with_head(small_pretrained(), settled=True)
    return compiled(model, optimizers.LossScaleOptimizer(optimizers.Adam(1e-4)))


# --- broken ones -------------------------------------------------------------------------------

BROKEN = {}


def broken(name):
    def note(builder):
        BROKEN[builder.__name__.replace("_", " ")] = (name, builder)
        return builder

    return note


@broken("batch norm will move")
def unfrozen_by_the_popular_recipe():
    inputs = keras.Input((SIZE, SIZE, 3))
    base = mobilenet()
    x = layers.GlobalAveragePooling2D()(base(inputs))
    head = layers.Dense(CLASSES)
    model = keras.Model(inputs, head(x))
    settle(head)
    base.trainable = True
    return compiled(model, optimizers.Adam(1e-5))


@broken("batch norm will move")
def late_layers_unfrozen_with_their_batch_norm():
    base = mobilenet()
    for layer in base.layers[:-20]:
        layer.trainable = False
    return compiled(with_head(base, settled=True), optimizers.Adam(1e-4))


@broken("batch norm will move")
def batch_norm_that_has_begun_to_move():
    model = with_head(small_pretrained(batch_norm=True), settled=True)
    return fitted(compiled(model, optimizers.Adam(1e-4)))


@broken("batch norm will move")
def subclassed_with_live_batch_norm():
    return subclassed(small_pretrained(batch_norm=True), settled=True)


@broken("trainable changed since compile")
def unfrozen_and_not_compiled_again():
    base = frozen(small_pretrained())
    model = fitted(compiled(with_head(base)))
    base.trainable = True
    return model


@broken("trainable changed since compile")
def frozen_and_not_compiled_again():
    model = fitted(compiled(with_head(small())))
    model.layers[0].trainable = False
    return model


@broken("everything is frozen")
def wholly_frozen():
    model = with_head(mobilenet(), settled=True)
    model.trainable = False
    return compiled(model)


@broken("nothing is frozen")
def nothing_frozen_under_a_new_head():
    return compiled(with_head(small_pretrained()))


@broken("only the head trains")
def unfreezing_forgotten():
    return compiled(with_head(frozen(mobilenet()), settled=True), optimizers.Adam(1e-5))


@broken("inputs scaled twice")
def scaled_outside_as_well():
    return compiled(with_head(frozen(mobilenet()))), (IMAGES / 255, LABELS)


@broken("inputs scaled twice")
def two_rescalings_in_a_new_network():
    twice = [keras.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255), layers.Rescaling(1 / 255)]
    return compiled(with_head(keras.Sequential([*twice, *small(scale=False).layers])))


@broken("inputs not scaled")
def raw_pictures_for_a_new_network():
    return compiled(with_head(small(scale=False)))


@broken("inputs not scaled")
def preprocessing_forgotten_before_a_pretrained_network():
    inputs = keras.Input((SIZE, SIZE, 3))
    base = small_pretrained(batch_norm=True)
    without = keras.Sequential([inputs, *base.layers[1:]])
    return compiled(with_head(frozen(without)))


@broken("softmax twice")
def softmax_that_keras_does_not_look_behind():
    model = with_head(small(), activation="softmax")
    model.add(layers.Reshape((CLASSES,)))
    return compiled(model)


@broken("softmax twice")
def softmax_under_a_focal_loss():
    with_loss = losses.CategoricalFocalCrossentropy(from_logits=True)
    return compiled(with_head(small(), activation="softmax"), with_loss=with_loss), ONE_HOT


@broken("softmax twice")
def two_softmax_layers():
    model = with_head(small(), activation="softmax")
    model.add(layers.Softmax())
    return compiled(model, with_loss="sparse_categorical_crossentropy")


@broken("logits taken for probabilities")
def loss_without_from_logits():
    model = with_head(frozen(mobilenet()))
    return compiled(model, with_loss="sparse_categorical_crossentropy")


@broken("logits taken for probabilities")
def subclassed_with_a_loss_without_from_logits():
    return compiled(subclassed(small()), with_loss=loss(from_logits=False))


@broken("logits taken for probabilities")
def loss_without_from_logits_in_a_list():
    model = with_head(small())
    model.compile("adam", ["sparse_categorical_crossentropy"], run_eagerly=True)
    return model


@broken("head does not fit the classes")
def old_head_of_another_width():
    return compiled(with_head(frozen(mobilenet()), width=10))


@broken("head does not fit the classes")
def head_too_narrow_for_the_labels():
    return compiled(with_head(small(), width=2)), (IMAGES, LABELS)


@broken("head does not fit the classes")
def softmax_of_a_single_answer():
    model = with_head(small(), width=1, activation="softmax")
    return compiled(model, with_loss="binary_crossentropy"), TWO


@broken("labels do not fit the loss")
def one_hot_labels_for_a_sparse_loss():
    return compiled(with_head(small())), ONE_HOT


@broken("labels do not fit the loss")
def whole_numbers_for_a_categorical_loss():
    with_loss = losses.CategoricalCrossentropy(from_logits=True)
    return compiled(with_head(small()), with_loss=with_loss)


@broken("labels do not fit the loss")
def labels_of_minus_one_and_one():
    with_loss = losses.BinaryCrossentropy(from_logits=True)
    return compiled(with_head(small(), width=1), with_loss=with_loss), (IMAGES, LABELS % 2 * 2 - 1)


@broken("learning rate too high")
def fine_tuning_at_the_rate_of_a_head():
    model = with_head(mobilenet(), settled=True)
    tlkit.unfreeze(model)
    return compiled(model, optimizers.Adam(1e-2))


@broken("learning rate too high")
def sgd_far_too_fast():
    return compiled(with_head(small_pretrained(), settled=True), optimizers.SGD(1.0))


@broken("learning rate too low")
def fine_tuning_at_a_rate_that_does_nothing():
    model = with_head(mobilenet(), settled=True)
    tlkit.unfreeze(model)
    return compiled(model, optimizers.AdamW(1e-8))


@broken("head is not trained yet")
def unfrozen_before_the_head_was_trained():
    model = with_head(mobilenet())
    tlkit.unfreeze(model, "conv_pw_13")
    return compiled(model, optimizers.Adam(1e-4))


@broken("head is not trained yet")
def new_head_without_bias():
    model = with_head(small_pretrained(), use_bias=False)
    model.layers[0].layers[1].trainable = False
    return model


@broken("optimizer carried over")
def the_same_optimizer_for_both_phases():
    base, optimizer = frozen(small_pretrained()), optimizers.Adam(1e-3)
    model = fitted(compiled(with_head(base), optimizer))
    base.trainable = True
    return compiled(model, optimizer)


@broken("optimizer carried over")
def the_same_optimizer_again():
    optimizer = optimizers.Adam(1e-3)
    return compiled(fitted(compiled(with_head(small()), optimizer)), optimizer)


def build(builder, folder):
    """The model of a builder, and what it is to be trained on."""
    made = builder(folder) if inspect.signature(builder).parameters else builder()
    return made if isinstance(made, tuple) else (made, DATA)

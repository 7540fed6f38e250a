"""What can be seen of a model as it stands, and what is wrong with it (lesson 04a)."""

import math
import warnings
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tlkit.errors import InputError
from tlkit.keras_tools import leaf_layers, listening, put_back

# Rates that pretrained layers train well at: what lies outside is reported. See lesson 04a.
ADAPTIVE = ("adam", "adamw", "nadam", "rmsprop", "adamax", "lamb", "lion")
RANGES = {True: (1e-6, 1e-3), False: (1e-5, 1e-1)}  # adaptive optimizers, and SGD
HEAD_ALONE = 5e-5  # an adaptive rate at or below this is not meant for a head
PICTURES = 16  # as many as are shown to the model
NOTED = 4  # layers whose input is kept
LOSSES = {
    "sparsecategoricalcrossentropy": "sparse",
    "categoricalcrossentropy": "categorical",
    "binarycrossentropy": "binary",
    "categoricalfocalcrossentropy": "categorical",
    "binaryfocalcrossentropy": "binary",
}


class Subject:
    """A model, what is known of its training, and how it responds to a few pictures.

    Args:
        model: A built model.
        images: Pictures for it, or None.
        labels: Their labels, or None.
        classes: How many classes the labels name, or None.
        exact: Whether that is known, or only the least there can be.
        names: What the model calls its classes, and what the labels call theirs; or None.
    """

    def __init__(self, model, images=None, labels=None, classes=None, exact=False, names=None):
        self.model, self.labels, self.classes, self.exact = model, labels, classes, exact
        self.images, self.names = images, names
        self.leaves = leaf_layers(model)
        self.weighted = [
            layer
            for layer in self.leaves
            if layer.weights and not isinstance(layer, layers.Normalization)
        ]
        self.normalisers = [x for x in self.leaves if isinstance(x, layers.BatchNormalization)]
        optimizer = getattr(model, "optimizer", None)
        self.optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
        self.steps = int(self.optimizer.iterations) if self.optimizer is not None else 0
        self.adaptive = type(self.optimizer).__name__.lower() in ADAPTIVE
        self.fitted = getattr(model, "train_function", None) is not None

    @cached_property
    def rate(self) -> float | None:
        """The learning rate; the highest of a schedule; None if there is not one for all."""
        if isinstance(self.optimizer, keras.optimizers.MultiOptimizer):
            return None
        given = getattr(self.optimizer, "_learning_rate", None)
        if isinstance(given, keras.optimizers.schedules.LearningRateSchedule):
            return max(float(given(step)) for step in (0, 1, 10, 100, 1000))
        return None if given is None else float(given)

    @cached_property
    def highest(self) -> float:
        """The highest rate of this training that is on record; a callback may have lowered it."""
        history = getattr(getattr(self.model, "history", None), "history", {})
        return max([self.rate or 0.0, *map(float, history.get("learning_rate", []))])

    @cached_property
    def optimized(self) -> set[int] | None:
        """Which variables the optimizer works on; None before its first step."""
        known = getattr(self.optimizer, "_trainable_variables", None)
        return {id(variable) for variable in known} if known else None

    def learnt(self, layer) -> bool:
        """Whether a layer holds more than initial values and what this training can have done."""
        reach = 0.0
        if self.steps and self.optimized and any(id(w) in self.optimized for w in layer.weights):
            # A step of these optimizers moves a weight by about the rate, whatever the gradient.
            reach = 5 * self.steps * self.highest if self.adaptive and self.rate else math.inf
        if isinstance(layer, layers.BatchNormalization):
            shift = [(layer.beta, 0.0)] if layer.center else []
            rest = [(layer.moving_mean, 0.0), (layer.moving_variance, 1.0)] if reach == 0 else []
            return any(
                float(np.abs(np.array(w) - start).max()) > reach for w, start in shift + rest
            )
        shift = bias_moved(layer)
        if shift is not None and shift > reach:
            return True
        return reach == 0 and looks_initial(layer) is False

    @cached_property
    def head(self):
        """The last layer that multiplies, if its width is the model's."""
        for layer in reversed(self.weighted):
            kernel = getattr(layer, "kernel", None)
            if kernel is not None and kernel.shape[-1] == self.width:
                return layer
        return None

    @cached_property
    def head_is_new(self) -> bool:
        """Whether the head has no more than its initial values."""
        shift = None if self.head is None else bias_moved(self.head)
        if self.head is None or shift:
            return False
        return looks_initial(self.head, exactly=shift is None) is True

    @cached_property
    def pretrained(self) -> list:
        """Layers below the head that hold learnt values, from early to late."""
        return [x for x in self.weighted if x is not self.head and self.learnt(x)]

    @cached_property
    def width(self) -> int | None:
        """How many answers the model gives."""
        shape = getattr(self.model, "output_shape", None)
        if self.response is not None:
            shape = self.response.shape
        return shape[-1] if isinstance(shape, tuple) and len(shape) == 2 else None

    @cached_property
    def chosen(self) -> np.ndarray:
        """Which pictures are shown to the model: a few, at random, whatever their order."""
        count = min(PICTURES, len(self.images))
        return np.sort(np.random.default_rng(0).choice(len(self.images), count, replace=False))

    @cached_property
    def shown(self) -> np.ndarray | None:
        """A few pictures for the model; noise of its size when there are none."""
        if self.images is not None:
            return np.asarray(self.images[self.chosen], "float32")
        shape = getattr(self.model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 4:
            return None
        shape = [2, *(side or 64 for side in shape[1:])]
        return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")

    @cached_property
    def response(self) -> np.ndarray | None:
        """The model's answers to them."""
        return None if self.shown is None else self.watched[0]

    @cached_property
    def ran(self) -> list:
        """The layers in the order they ran; where no picture could be shown, as they stand."""
        return self.leaves if self.shown is None else self.watched[2]

    @cached_property
    def watched(self) -> tuple[np.ndarray | None, list, list]:
        """The answers, what the first layers with weights were given, and all layers that ran."""
        noted: list[tuple] = []
        ran: list = []
        weighted = {id(layer) for layer in self.weighted}

        def hear(layer, given, _output):
            ran.append(layer)
            if id(layer) in weighted and len(noted) < NOTED and hasattr(given, "shape"):
                noted.append((layer, np.asarray(given).astype("float32")))

        with listening(self.leaves, hear):
            try:
                # A tensor, for Keras warns of an array where the inputs are a list of one.
                answer = self.model(keras.ops.convert_to_tensor(self.shown), training=False)
            except (ValueError, tf.errors.InvalidArgumentError) as error:
                raise InputError(
                    f"The model cannot take pictures of shape {self.shown.shape[1:]}.",
                    "Load pictures of the size that the model was built for.",
                ) from error
        # Of a model with several answers none is judged.
        return np.asarray(answer) if hasattr(answer, "shape") else None, noted, ran

    def squeezes(self, loss, kind: str) -> bool:
        """Whether a loss with `from_logits=True` takes the model's probabilities for logits.

        Mostly it does not: Keras on TensorFlow finds the logits behind a softmax or sigmoid, and
        takes those. But it does not look behind other layers or a change of precision, and a focal
        loss does not look. So this compares the loss as training would see it with that of bare
        numbers.
        """
        wanted = np.zeros((len(self.shown), self.width), "float32")
        wanted[:, 0] = 1
        wanted = np.zeros(len(self.shown), "int64") if kind == "sparse" else wanted

        def losses(pictures):
            answers = self.model(pictures, training=False)
            return loss(wanted, answers), loss(wanted, tf.stop_gradient(answers))

        if np.ptp(self.response) < 1e-3:
            return False  # a head of zeros: both are the same
        run = losses if self.model.run_eagerly else tf.function(losses)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's own word on it
            seen, bare = run(tf.constant(self.shown))
        return bool(np.allclose(seen, bare, rtol=1e-5, atol=1e-6))

    def moves(self, normalisers: list) -> list:
        """Which of these batch-norm layers change in a training step; they are put back."""
        if self.shown is None:
            return normalisers
        means = [np.array(layer.moving_mean) for layer in normalisers]
        # What a training step changes without an optimizer: statistics, random seeds, counters.
        with put_back([v for v in self.model.variables if len(v.shape) < 2]):
            self.model(keras.ops.convert_to_tensor(self.shown), training=True)
            return [
                layer
                for layer, mean in zip(normalisers, means, strict=True)
                if not np.array_equal(layer.moving_mean, mean)
            ]


def bias_moved(layer) -> float | None:
    """How far a layer's bias is from where it began; None when there is none, or nobody knows."""
    bias, make = getattr(layer, "bias", None), getattr(layer, "bias_initializer", None)
    if bias is None or make is None:
        return None
    start = np.array(make(bias.shape))
    if start.size > 1 and np.ptp(start):
        return None  # it began at random
    return float(np.abs(np.array(bias) - start).max())


def looks_initial(layer, exactly: bool = False) -> bool | None:
    """Whether a layer's kernel is as its initializer makes them; None if that cannot be told."""
    from scipy.stats import ks_2samp

    kernel, make = getattr(layer, "kernel", None), getattr(layer, "kernel_initializer", None)
    if kernel is None or make is None or math.prod(kernel.shape) > 2_000_000:
        return None
    if isinstance(layer, layers.EinsumDense):  # attention makes its kernels in another shape
        return None
    values, fresh = np.array(kernel), np.array(make(kernel.shape))
    if exactly or np.allclose(values, fresh):
        return bool(np.allclose(values, fresh))
    return bool(ks_2samp(values.ravel(), fresh.ravel()).pvalue > 1e-4)

"""Many short trainings of one small network, traced once, and linear classifiers beside it."""

import warnings
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from tlkit.steps import passes


class Trainer:
    """A network with some layers frozen, that can be trained again and again.

    Args:
        model: Ends in logits; its weights change.
        frozen: Names of layers that do not train.
    """

    def __init__(self, model: keras.Sequential, frozen: Sequence[str] = ()):
        for layer in model.layers:
            layer.trainable = layer.name not in frozen
        self.model, self.optimizer = model, keras.optimizers.Adam(1e-3)
        self.optimizer.build(model.trainable_variables)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        pictures = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        numbers = tf.TensorSpec((None,), tf.int32)
        batches = tf.TensorSpec((None, None), tf.int32)

        @tf.function(input_signature=[pictures, numbers, batches, tf.TensorSpec((), tf.float32)])
        def steps(images, labels, order, rate):
            count = tf.shape(order)[0]
            for step in tf.range(count):
                rows = order[step]
                done = tf.cast(step, tf.float32) / tf.cast(count, tf.float32)
                self.optimizer.learning_rate.assign(rate * 0.5 * (1 + tf.cos(np.pi * done)))
                with tf.GradientTape() as tape:
                    logits = model(tf.gather(images, rows), training=True)
                    cost = loss(tf.gather(labels, rows), logits)
                gradients = tape.gradient(cost, model.trainable_variables)
                self.optimizer.apply(gradients, model.trainable_variables)

        self.steps = steps
        self.answer = tf.function(lambda x: model(x, training=False), input_signature=[pictures])

    def train(self, weights, images, labels, steps, rate, seed, batch_size=32) -> None:
        """From these weights, with Adam at a rate that fades to nothing along a cosine.

        Args:
            weights: As `get_weights` gives them.
            images: Pictures as the network takes them.
            labels: Whole numbers.
            steps: How many batches.
            rate: Where the rate starts.
            seed: Of the order of the pictures.
            batch_size: Pictures per step, at most.
        """
        self.model.set_weights(weights)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        size = min(batch_size, len(images))
        order = passes(len(images), steps, size, seed).astype(np.int32)
        self.steps(images.astype(np.float32), np.asarray(labels, np.int32), order, rate)

    def accuracy(self, images, labels) -> float:
        """The share of right answers."""
        return float((self.logits(images).argmax(axis=1) == labels).mean())

    def logits(self, images) -> np.ndarray:
        parts = [images[start : start + 500] for start in range(0, len(images), 500)]
        return np.concatenate([self.answer(part.astype(np.float32)).numpy() for part in parts])


def probe(seen, labels, unseen, answers, strength) -> float:
    """Accuracy of a linear classifier: `tlkit.fit_linear_head`, stopped after 100 iterations.

    Args:
        seen: (N, C) features to fit it on.
        labels: (N,) their classes.
        unseen: (M, C) features to judge it on.
        answers: (M,) their classes.
        strength: Of the fit against keeping the weights small.

    Returns:
        The share of right answers.
    """
    middle = seen.mean(axis=0, dtype="float64")
    spread = np.sqrt(seen.var(axis=0, dtype="float64").mean()) or 1.0
    # Threads cost more than they bring here, on a busy machine ten times as much.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # more iterations change no choice
        basis, turned = np.linalg.qr(((seen - middle) / spread).T)
        fitted = LogisticRegression(C=strength, max_iter=100).fit(turned.T, labels)
    return float((fitted.predict((unseen - middle) / spread @ basis) == answers).mean())


def part_of(model: keras.Sequential, layer: str) -> keras.Model:
    """The network up to a layer, sharing its weights."""
    return keras.Model(model.inputs, model.get_layer(layer).output)

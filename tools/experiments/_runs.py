"""What the experiments share: tasks, trainings that start from given weights, settings to be found.

How they keep to the protocol is in README.md.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

import tlkit
from tlkit.data.image_dataset import ImageDataset
from tlkit.steps import passes, take_steps

# The test pictures are drawn from a seed that no training uses; those of the tuning seeds, which
# only help to find settings, from others again.
TEST_SEED = 1000


def task(name: str, size: int, test: int = 500) -> tuple[ImageDataset, Callable]:
    """The test pictures of a task, and a function from (labels, seed) to pictures to train on.

    People are drawn anew for every seed; icons and digits are a random choice of those that are not
    in the test set.
    """
    if name == "sunglasses-or-hat":

        def compose(labels: int, seed: int) -> ImageDataset:
            return tlkit.load_dataset(name, labels, size, seed)

        return compose(test, TEST_SEED), compose
    data = tlkit.load_dataset(name, None, size, TEST_SEED)
    rest, judge = data.split(train=len(data) - test, seed=TEST_SEED)
    return judge, rest.take


def share_right(logits: Any, labels: np.ndarray) -> float:
    """Accuracy, from 0 to 1."""
    return float((np.asarray(logits).argmax(axis=1) == labels).mean())


def mean_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Cross-entropy, averaged over the pictures."""
    logits = np.asarray(logits, "float64")
    right = logits[np.arange(len(labels)), labels]
    return float((np.logaddexp.reduce(logits, axis=1) - right).mean())


def fading(rate: float | Sequence[float], steps: int) -> np.ndarray:
    """A rate for each step, or one for each group of layers, that fades along a line to nothing."""
    left = 1 - np.arange(steps) / steps
    return left * rate if np.ndim(rate) == 0 else left[:, None] * np.array(rate)


def new_head(features: int, classes: int, seed: int) -> list[np.ndarray]:
    """The weights of a linear layer as Keras begins one."""
    kernel = keras.initializers.GlorotUniform(seed)((features, classes))
    return [np.array(kernel), np.zeros(classes, "float32")]


def with_head(base: keras.Model, classes: int, seed: int = 0) -> keras.Model:
    """A network with a new linear head, whose layer is called logits."""
    channels = base.output_shape[-1]
    head = keras.Sequential([keras.Input((channels,)), keras.layers.Dense(classes, name="logits")])
    head.set_weights(new_head(channels, classes, seed))
    return tlkit.attach_head(base, head)


class Bench:
    """One model with one training graph, and runs that all start from given weights.

    Args:
        model: Ends in logits. What shall train is unfrozen before.
        optimizer: Of Keras; its rate is set for each step.
    """

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, metrics=["accuracy"])
        optimizer.build(model.trainable_variables)
        self.model, self.begins = model, [np.array(each) for each in optimizer.variables]
        self.trained = sum(int(np.prod(each.shape)) for each in model.trainable_weights)

    def train(
        self,
        weights: list[np.ndarray],
        images: np.ndarray,
        labels: np.ndarray,
        rates: np.ndarray,
        seed: int,
        batch_size: int = 16,
        on_step: Callable | None = None,
    ) -> "Bench":
        """A step for each rate, from these weights, over batches in the seed's order."""
        self.model.set_weights(weights)
        for variable, value in zip(self.model.optimizer.variables, self.begins, strict=True):
            variable.assign(value)
        order = passes(len(images), len(rates), batch_size, seed)
        take_steps(self.model, images, labels, order, rates, on_step)
        return self

    def logits(self, images: np.ndarray) -> np.ndarray:
        """What the model answers, batch norm as in inference."""
        return self.model.predict(images, batch_size=100, verbose=0)

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """The share of right answers."""
        return share_right(self.logits(images), labels)


def find(candidates: Sequence, seeds: Sequence[int], judge: Callable[[Any, int], float]) -> dict:
    """Try each candidate with each tuning seed; the first of the best is chosen.

    Args:
        candidates: Settings, at most four.
        seeds: Tuning seeds, which nothing is measured with.
        judge: From a candidate and a seed to the accuracy on pictures kept apart.

    Returns:
        `"tried"`, each candidate with its mean accuracy, and `"chosen"`.
    """
    tried = [[each, float(np.mean([judge(each, seed) for seed in seeds]))] for each in candidates]
    return {"tried": tried, "chosen": max(tried, key=lambda pair: pair[1])[0]}

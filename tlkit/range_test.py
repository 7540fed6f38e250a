"""The range test: raise the learning rate at every step, and see when the loss falls and bursts."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tlkit import checks
from tlkit.checks import demand
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError
from tlkit.keras_tools import count_classes, open_model, put_back
from tlkit.plots.figures import CourseFigure
from tlkit.plots.rates import draw_range
from tlkit.steps import passes, take_steps


@dataclass(frozen=True)
class RangeTest:
    """What a range test found; it draws itself.

    Args:
        rates: (n,) learning rates, rising.
        losses: (n,) the loss of the batch before the step with that rate.
        smooth: (n,) the same, averaged over the steps before, so that single batches count less.
        suggestion: A tenth of the rate at which the smooth loss is lowest.
    """

    rates: np.ndarray
    losses: np.ndarray
    smooth: np.ndarray
    suggestion: float

    def draw(self, rate: float | None = None) -> CourseFigure:
        """The curve, the suggested rate, and what would happen at another rate.

        Args:
            rate: A rate to mark and to read; None for the suggestion alone.

        Returns:
            The figure.
        """
        title = "" if rate is None else f"{rate:.1e} is {self.read(rate)}"
        return draw_range(self.rates, self.losses, self.smooth, self.suggestion, rate, title)

    def read(self, rate: float) -> str:
        """What the curve says about a rate, in words.

        Args:
            rate: A learning rate.

        Returns:
            Whether it is slow, usable, risky or too large, and why.
        """
        best = int(self.smooth.argmin())
        if rate > self.rates[best]:
            return "too large: here the loss rises again"
        if rate > self.rates[best] / 3:
            return "risky: the loss is about to rise"
        if rate >= self.suggestion / 10:
            return "usable: the loss falls"
        return "slow: the loss hardly moves"

    def _ipython_display_(self) -> None:
        self.draw()._ipython_display_()


def find_learning_rate(
    model: keras.Model,
    train: ImageDataset,
    optimizer: Callable[..., keras.optimizers.Optimizer] = keras.optimizers.AdamW,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 60,
    batch_size: int = 16,
    seed: int = 0,
    progress: bool | None = None,
) -> RangeTest:
    """Find a learning rate by a range test, and leave the model as it was.

    The model takes `steps` training steps, each with a rate a little higher than the one before.
    While the rate is too small the loss stays; then it falls; then the rate is too large and the
    loss rises. The test stops there. All of it happens with an optimizer of its own, and
    afterwards every weight is put back.

    Args:
        model: A functional or Sequential model that ends in logits. If it is compiled, its loss is
            used. What is frozen stays frozen.
        train: Training pictures.
        optimizer: A class of optimizers, or a function of `learning_rate` that makes one, such as
            `lambda learning_rate: differential_optimizer(model, learning_rate)`.
        lowest: The first rate.
        highest: The last rate.
        steps: How many steps, 10 or more.
        batch_size: Pictures per step; it should be that of the training to come.
        seed: Of the order of the pictures.
        progress: True to tell how far it has come, False not to, None to tell after three seconds.

    Returns:
        A `RangeTest`: rates, losses and the suggested rate.

    Raises:
        InputError: A model of another kind, or rates or steps that make no range.

    Example:
        >>> found = find_learning_rate(model, train)                        # doctest: +SKIP
        >>> model.compile(keras.optimizers.AdamW(found.suggestion), loss)   # doctest: +SKIP

    Source: Smith 2017, arXiv 1506.01186, section 3.3; a tenth of the minimum is a rule of thumb.
    """
    width, classes = count_classes(open_model(model)), len(checks.dataset(train).class_names)
    images = checks.pictures(train.images, model.input_shape[1:])
    what = f"The model tells {width} classes apart, the pictures have {classes}."
    demand(width >= classes, what, "Pass a model with a head of that width.")
    what = f"Nothing trains in the model {model.name!r}."
    demand(model.trainable_variables, what, "Unfreeze layers first.")
    given = (lowest, highest, steps, batch_size)
    fine = all(isinstance(each, int | float | np.number) and each > 0 for each in given)
    whole = isinstance(steps, int | np.integer) and isinstance(batch_size, int | np.integer)
    demand(
        fine and whole and lowest < highest and steps >= 10,
        f"From {lowest} to {highest} in {steps} steps of {batch_size} is no range test.",
        "Give two rates above 0, the lower one first, and ten steps or more.",
    )
    growth = (highest / lowest) ** (1 / (steps - 1))
    rates = lowest * growth ** np.arange(steps)
    rising = keras.optimizers.schedules.ExponentialDecay(lowest, 1, growth)
    loss = getattr(model, "loss", None)
    # A second model on the same layers: the first one's compile state is never touched.
    trial = keras.Model(model.inputs, model.outputs, name=model.name)
    trial.compile(
        optimizer(learning_rate=rising),
        loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    losses, smooth = [], []

    def burst(_step: int, loss: float) -> bool:
        if not np.isfinite(loss):
            return True
        losses.append(loss)
        smooth.append(_average(losses))
        return smooth[-1] > 4 * min(smooth)

    order = passes(len(images), steps, batch_size, checks.seed(seed))
    with put_back(model.variables):
        try:
            take_steps(trial, images, train.labels, order, None, burst, "Range test", progress)
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            raise InputError(
                "The loss that the model was compiled with does not take class numbers.",
                "Compile it with SparseCategoricalCrossentropy(from_logits=True).",
            ) from error
    demand(
        len(losses) > 1,
        f"The loss is no number from the first steps on, at a rate of {lowest:g}.",
        "Look for pixels that are not numbers, or start with a lower rate.",
    )
    best = int(np.argmin(smooth))
    return RangeTest(
        rates[: len(losses)], np.array(losses), np.array(smooth), float(rates[best] / 10)
    )


def _average(losses: list[float], memory: float = 0.8) -> float:
    """An average in which each step further back counts a fifth less."""
    weights = memory ** np.arange(len(losses))[::-1]
    return float(np.average(losses, weights=weights))

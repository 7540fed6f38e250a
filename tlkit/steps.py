"""One loop of training steps, and the orders in which batches come.

Keras and TensorFlow are imported by the functions, so that importing this module is quick.
"""

import collections
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.progress import progress as tell

if TYPE_CHECKING:
    import keras


def passes(count: int, steps: int, batch_size: int, seed: int) -> np.ndarray:
    """Which pictures each step takes: whole passes, each in a random order of its own.

    Args:
        count: How many pictures there are.
        steps: How many batches.
        batch_size: Pictures in each.
        seed: Of the orders.

    Returns:
        int64 (steps, batch_size), rows from 0 to `count` - 1. A batch may reach into the next pass.

    Example:
        >>> passes(6, steps=3, batch_size=4, seed=0).ravel()[:6]
        array([3, 2, 5, 0, 1, 4])
    """
    generator = np.random.default_rng(seed)
    often = -(-steps * batch_size // count)
    order = np.concatenate([generator.permutation(count) for _ in range(often)])
    return order[: steps * batch_size].reshape(steps, batch_size)


def shuffled(count: int, steps: int, batch_size: int, seed: int) -> np.ndarray:
    """Like `passes`, in the order in which a shuffled `tf.data` set deals them out.

    It also depends on TensorFlow's global seed: use it in a `seeded` block.
    """
    import tensorflow as tf

    rows = tf.data.Dataset.range(count).shuffle(count, seed=seed).repeat()
    return np.stack([*rows.batch(batch_size).take(steps).as_numpy_iterator()])


def at_once(steps: int, most: int = 50) -> int:
    """How many steps to take in one call of TensorFlow, which spares small networks much time.

    For `steps_per_execution` of `compile`. The number divides `steps`, or Keras would warn that the
    pictures ran out.
    """
    return max(each for each in range(1, most + 1) if steps % each == 0)


def take_steps(
    model: "keras.Model",
    inputs: Any,
    targets: np.ndarray | None,
    order: np.ndarray,
    rates: np.ndarray | None = None,
    on_step: Callable[[int, float], bool | None] | None = None,
    what: str = "Training",
    progress: bool | None = False,
) -> None:
    """Train a compiled model: a step for each batch, with Keras's own `fit`.

    Args:
        model: What `compile` was called of. With `steps_per_execution` several steps are taken
            at a time, and `on_step` is called after the last of them.
        inputs: An array (N, ...), or several as the model takes them.
        targets: (N, ...), or None.
        order: (steps, batch_size), the rows of each batch, such as `passes` gives.
        rates: Learning rates (steps,), or (steps, groups) for a `MultiOptimizer`; None leaves them
            to the optimizer.
        on_step: Called after each step with its number, from 0, and the loss of its batch; True
            ends the training.
        what: What is being done, to be told.
        progress: True to tell how far it has come, False not to, None to tell after three seconds.

    Example:
        >>> order = passes(len(train), steps=100, batch_size=16, seed=0)
        >>> take_steps(model, train.images, train.labels, order)            # doctest: +SKIP
    """
    import keras
    import tensorflow as tf

    if not len(order):
        return
    columns = (inputs,) if targets is None else (inputs, targets)
    columns = keras.tree.map_structure(tf.convert_to_tensor, columns)

    def batch(rows):
        return keras.tree.map_structure(lambda column: tf.gather(column, rows), columns)

    data = tf.data.Dataset.from_tensor_slices(np.asarray(order, "int64"))
    data = data.map(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)
    groups = getattr(model.optimizer, "optimizers", [model.optimizer])
    told = tell(range(len(order)), len(order), what, progress)

    def before(step, logs=None):
        if on_step is not None:
            model.reset_metrics()
        if rates is not None:
            for group, rate in zip(groups, np.atleast_1d(rates[step]), strict=False):
                group.learning_rate = float(rate)

    def after(step, logs):
        next((number for number in told if number > step), None)
        if on_step is not None and on_step(step, float(logs["loss"])):
            model.stop_training = True

    heard = keras.callbacks.LambdaCallback(on_train_batch_begin=before, on_train_batch_end=after)
    model.fit(data, shuffle=False, verbose=0, callbacks=[heard])
    # Also when it was ended early, the last word is that it is done.
    collections.deque(told, maxlen=0)

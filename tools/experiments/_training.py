"""Training as the experiments do it: so many steps, a rate that fades, nothing chosen."""

import keras
import numpy as np

from tlkit.steps import shuffled, take_steps


def train(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> None:
    """Train a model that ends in logits with Adam, for a number of steps rather than epochs.

    Args:
        model: Changed in place.
        images: Pictures as the model takes them.
        labels: Whole numbers.
        steps: How many batches.
        batch_size: Pictures per batch.
        learning_rate: Where the rate starts; it fades to zero along a cosine.
        seed: Of the order of the pictures and of all else that is random in training.
    """
    # It stays in force afterwards, and the experiments' next networks draw their weights from it.
    keras.utils.set_random_seed(seed)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss)
    take_steps(model, images, labels, shuffled(len(images), steps, batch_size, seed))
    settle_batch_norm(model, images)


def settle_batch_norm(model: keras.Model, images: np.ndarray, batch_size: int = 64) -> None:
    """Replace the running statistics of batch norm by averages over the training pictures.

    The running ones remember hundreds of steps, most of them of weights that are long gone. After a
    short training from scratch, a network judged with them answers one class for everything, and
    the comparison would be won by whoever did not train it (Wu & Johnson 2021, arXiv 2105.07576,
    section 3).

    Args:
        model: Changed in place; nothing happens when it has no batch norm.
        images: The pictures that it was trained on.
        batch_size: Pictures per batch.
    """
    normalisers = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if not normalisers:
        return
    order = np.random.default_rng(0).permutation(len(images))
    batches = np.array_split(images[order], max(1, round(len(images) / batch_size)))
    for number, batch in enumerate(batches):
        for layer in normalisers:
            layer.momentum = number / (number + 1)  # so that all batches count alike
        model(batch.astype("float32"), training=True)

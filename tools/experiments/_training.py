"""Training as the experiments do it: so many steps, a rate that fades, nothing chosen."""

import keras
import numpy as np
import tensorflow as tf


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

    Batch norm, where the network has it, follows the last ten steps or so: its usual memory of some
    hundred steps is longer than the training, and the network would be judged by statistics of its
    first, random weights.

    Args:
        model: Changed in place.
        images: Pictures as the model takes them.
        labels: Whole numbers.
        steps: How many batches.
        batch_size: Pictures per batch.
        learning_rate: Where the rate starts; it fades to zero along a cosine.
        seed: Of the order of the pictures and of all else that is random in training.
    """
    keras.utils.set_random_seed(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss)
    data = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = data.shuffle(len(images), seed=seed).repeat().batch(batch_size).prefetch(2)
    model.fit(batches, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0)

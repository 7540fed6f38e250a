"""A small network learns what a large one says: soft targets and distillation (lesson 06)."""

import math
from typing import TYPE_CHECKING

import numpy as np

from tlkit.data.image_dataset import ImageDataset, a_seed, whole
from tlkit.errors import InputError
from tlkit.networks.students import student_network
from tlkit.progress import progress as tell

if TYPE_CHECKING:
    import keras

__all__ = ["distill", "soften", "student_network"]

_STEPS_AT_ONCE = 50


def soften(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities at a temperature: softmax of the logits divided by it.

    At 1 these are the usual probabilities. A higher temperature draws them together, so that the
    small ones can be seen; a lower one leaves the largest alone.

    Args:
        logits: (..., classes) numbers.
        temperature: Above 0.

    Returns:
        Probabilities of the same shape; the last axis sums to 1.

    Raises:
        InputError: Logits that are no finite numbers, or a temperature of 0 or less.

    Example:
        >>> soften([4.0, 2.0, 0.0], temperature=1).round(2).tolist()
        [0.87, 0.12, 0.02]
        >>> soften([4.0, 2.0, 0.0], temperature=4).round(2).tolist()
        [0.51, 0.31, 0.19]

    Source: Hinton, Vinyals & Dean 2015, arXiv 1503.02531, equation 1.
    """
    from scipy.special import softmax

    logits = np.asarray(logits, dtype="float64")
    if not logits.ndim or not logits.size or not np.isfinite(logits).all():
        raise InputError(
            f"Logits of shape {logits.shape} are no finite numbers.",
            "Pass what a network that ends in logits gives, one row for each picture.",
        )
    return softmax(logits / _temperature(temperature), axis=-1)


def distill(
    teacher: "keras.Model | np.ndarray",
    student: "keras.Model",
    images: ImageDataset | np.ndarray,
    temperature: float = 3.0,
    alpha: float = 0.9,
    labels: np.ndarray | None = None,
    steps: int = 1000,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    progress: bool | None = None,
) -> "keras.Model":
    """Train a student on what a teacher says of pictures.

    The teacher is asked once for each picture, by `tlkit.extract_features`, which keeps its answers
    on disk; nothing of it is changed. Then Keras's own `Distiller` trains the student, with Adam at
    a rate that fades to zero along a cosine.

    The loss is alpha times `LogitsDistillation`, the divergence of the two softened answers times
    the temperature squared, and 1 - alpha times the cross-entropy with the labels.

    Args:
        teacher: A model from pictures to logits, or the logits themselves (N, classes).
        student: A model from the same pictures to as many logits. Its weights change.
        images: Pictures (N, H, W, 3) from 0 to 255, or an `ImageDataset`, whose labels are left
            alone: no labels are needed.
        temperature: Softens both answers, above 0; see `soften`.
        alpha: How much the teacher counts against the labels, 0 to 1. Without labels only the
            teacher counts. With 0 the student learns from the labels alone.
        labels: True classes (N,), if there are any.
        steps: How many batches to train on.
        batch_size: Pictures per step, at most.
        learning_rate: Where Adam's rate starts.
        seed: Of the order of the pictures and of all else that is random in training.
        progress: True to tell how far it has come, False not to, None to tell after three seconds.

    Returns:
        The student.

    Raises:
        InputError: Probabilities in place of logits, numbers of classes that differ, a student that
            shares weights with the teacher, or a picture, label or setting that does not fit.

    Example:
        >>> teacher = fine_tune(load_backbone(image_size=96), train).model  # doctest: +SKIP
        >>> student = distill(teacher, small_network(96), unlabelled)       # doctest: +SKIP
        >>> student.predict(unlabelled.images).shape                        # doctest: +SKIP
        (1000, 2)

    Source: Hinton, Vinyals & Dean 2015, arXiv 1503.02531.
    """
    import keras

    images = images.images if isinstance(images, ImageDataset) else np.asarray(images)
    classes = _check_student(student, images)
    temperature, alpha = _temperature(temperature), _alpha(alpha, labels)
    whole(steps, "steps", 1), whole(batch_size, "batch_size", 1)
    if not _is_number(learning_rate) or not 0 < learning_rate < 1:
        raise InputError(f"`learning_rate` is {learning_rate!r}.", "Give a number such as 1e-3.")
    answers = _answers(teacher, student, images, classes, progress)
    target = () if labels is None else (_check_labels(labels, len(images), classes),)

    keras.utils.set_random_seed(a_seed(seed))
    distiller = _distiller(student, classes, temperature, alpha)
    parts = ((images, answers), *target)
    _fit(distiller, parts, steps, batch_size, learning_rate, seed, progress)
    return student


def _distiller(student, classes, temperature, alpha) -> "keras.distillation.Distiller":
    """Keras's distiller, with a teacher that says what it said before: its answers are an input."""
    import keras

    pictures, answers = keras.Input(student.input_shape[1:]), keras.Input((classes,))
    teacher = keras.Model([pictures, answers], keras.layers.Identity()(answers))
    learner = keras.Model([pictures, answers], student(pictures))
    # By the default's name, "kl_divergence", Keras 3.15 compares bare logits, without softmax and
    # temperature squared: it looks for an instance of the class.
    loss = keras.distillation.LogitsDistillation(temperature, keras.losses.KLDivergence())
    return keras.distillation.Distiller(teacher, learner, loss, student_loss_weight=1 - alpha)


def _fit(distiller, parts, steps, batch_size, learning_rate, seed, progress) -> None:
    """Train for so many steps, on batches in an order that the seed decides."""
    import keras
    import tensorflow as tf

    fading = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    at_once = min(_STEPS_AT_ONCE, steps)
    distiller.compile(keras.optimizers.Adam(fading), loss, steps_per_execution=at_once)
    count = len(parts[0][0])
    data = tf.data.Dataset.from_tensor_slices(parts).shuffle(count, seed=seed).repeat()
    data = data.batch(min(batch_size, count)).take(steps).prefetch(2)
    turns = -(-steps // at_once)
    told = tell(range(turns + 1), turns, "Distilling", progress)
    tick = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: next(told, None))
    next(told)
    distiller.fit(data, shuffle=False, verbose=0, callbacks=[tick])
    next(told, None)


def _answers(teacher, student, images, classes: int, progress) -> np.ndarray:
    """The teacher's logits for all pictures."""
    import keras

    from tlkit.features import extract_features

    if isinstance(teacher, keras.Model):
        own = {id(weight) for weight in teacher.weights}
        if any(id(weight) in own for weight in student.weights):
            raise InputError(
                "The student shares weights with the teacher, so teaching it would change both.",
                "Build the student anew, or copy it with keras.models.clone_model.",
            )
        answers = extract_features(teacher, images, progress=progress)
    else:
        answers = np.asarray(teacher)
    if answers.ndim != 2 or len(answers) != len(images) or answers.dtype.kind not in "iuf":
        raise InputError(
            f"The teacher's answers have the shape {answers.shape} for {len(images)} pictures.",
            "Give a model that ends in one logit for each class, or such logits (N, classes).",
        )
    answers = answers.astype("float32")
    if not np.isfinite(answers).all():
        raise InputError("Some of the teacher's logits are NaN or infinite.", "Look at them first.")
    _demand_logits(answers, "teacher")
    if answers.shape[1] != classes:
        raise InputError(
            f"The teacher tells {answers.shape[1]} classes apart, the student {classes}.",
            f"Build a student with classes={answers.shape[1]}, or choose another teacher.",
        )
    return answers


def _check_student(student, images: np.ndarray) -> int:
    """How many classes the student has."""
    import keras

    if not isinstance(student, keras.Model) or not getattr(student, "inputs", None):
        raise InputError(
            f"{type(student).__name__} is not a model that can be taught.",
            "Pass a functional or a built Sequential Keras model, such as small_network gives.",
        )
    if images.ndim != 4 or images.dtype.kind not in "uif" or not len(images):
        raise InputError(
            f"Pictures must be numbers of shape (N, H, W, 3); these are {images.dtype} of shape "
            f"{images.shape}.",
            "Pass RGB pictures from 0 to 255, or an ImageDataset.",
        )
    size = student.input_shape[1:]
    if any(want not in (None, have) for want, have in zip(size, images.shape[1:], strict=True)):
        raise InputError(
            f"The pictures have the shape {images.shape[1:]}, but the student takes {size}.",
            f"Build the student with image_size={images.shape[1]}, or load pictures of its size.",
        )
    if not student.trainable_weights:
        raise InputError("The student is frozen.", "Set student.trainable = True.")
    shape = student.output_shape
    if len(shape) != 2 or shape[1] is None or shape[1] < 2:
        raise InputError(
            f"The student's output has the shape {shape}.",
            "Let it end in one logit for each class, two classes or more.",
        )
    _demand_logits(np.asarray(student(images[:8].astype("float32"))), "student")
    return shape[1]


def _demand_logits(answers: np.ndarray, who: str) -> None:
    if (answers >= 0).all() and np.allclose(answers.sum(axis=1), 1, atol=1e-3):
        raise InputError(
            f"The {who} gives probabilities: all its rows are positive and sum to 1.",
            "Give logits: end the network in a dense layer without softmax.",
        )


def _check_labels(labels: np.ndarray, count: int, classes: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "ui":
        raise InputError(
            f"`labels` is {labels.dtype} of shape {labels.shape} for {count} pictures.",
            "Give one whole number for each picture, or none at all.",
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"`labels` go from {labels.min()} to {labels.max()}, for {classes} classes.",
            f"Give labels from 0 to {classes - 1}.",
        )
    return labels.astype("int64")


def _is_number(value: object) -> bool:
    kinds = int | float | np.integer | np.floating
    return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)


def _temperature(value: float) -> float:
    if not _is_number(value) or value <= 0:
        raise InputError(f"`temperature` is {value!r}.", "Give a number above 0, such as 3.")
    return float(value)


def _alpha(value: float, labels: np.ndarray | None) -> float:
    if not _is_number(value) or not 0 <= value <= 1:
        raise InputError(f"`alpha` is {value!r}.", "Give a number from 0 to 1.")
    if labels is None and value == 0:
        raise InputError(
            "With alpha=0 the teacher does not count, and there are no labels to learn from.",
            "Give labels, or a larger alpha.",
        )
    return 1.0 if labels is None else float(value)

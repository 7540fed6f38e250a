"""A small network learns what a large one says: soft targets and distillation (lesson 06)."""

from typing import TYPE_CHECKING

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError
from tlkit.features import extract_features
from tlkit.keras_tools import count_classes, open_model, seeded
from tlkit.keras_tools import logits as checked_logits
from tlkit.steps import at_once, shuffled, take_steps

if TYPE_CHECKING:
    import keras


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

    if checks.array(logits, "The table of logits").dtype.kind not in "biuf":
        raise InputError(
            "The logits are no numbers.", "Pass what a network that ends in them gives."
        )
    logits = np.asarray(logits, dtype="float64")
    demand(
        logits.ndim and logits.size and np.isfinite(logits).all(),
        f"Logits of shape {logits.shape} are no finite numbers.",
        "Pass what a network that ends in logits gives, one row for each picture.",
    )
    return softmax(logits / checks.number(temperature, "temperature", 0, such_as=3), axis=-1)


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
    images = images.images if isinstance(images, ImageDataset) else images
    images = checks.pictures(images, open_model(student).input_shape[1:])
    demand(student.trainable_weights, "The student is frozen.", "Set student.trainable = True.")
    classes = count_classes(student, "student")
    checked_logits(student(images[:8].astype("float32")), "student")
    temperature = checks.number(temperature, "temperature", 0, such_as=3)
    alpha = checks.number(alpha, "alpha", 0, 1, ends=True)
    checks.whole(steps, "steps", 1), checks.whole(batch_size, "batch_size", 1)
    checks.number(learning_rate, "learning_rate", 0, 1, such_as=1e-3)
    if labels is None:
        what = "With alpha=0 the teacher does not count, and there are no labels to learn from."
        demand(alpha > 0, what, "Give labels, or a larger alpha.")
        alpha = 1.0
    else:
        labels = checks.labels(labels, len(images), classes)
    answers = _answers(teacher, student, images, classes, progress)
    with seeded(checks.seed(seed)):
        distiller = _distiller(student, classes, temperature, alpha)
        fit_distiller(
            distiller, (images, answers), labels, steps, batch_size, learning_rate, seed, progress
        )
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


def fit_distiller(
    distiller: "keras.distillation.Distiller",
    inputs: tuple[np.ndarray, ...],
    labels: np.ndarray | None,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    progress: bool | None = False,
) -> None:
    """Train one of Keras's distillers with Adam, at a rate that fades to zero along a cosine.

    Args:
        distiller: What to train; it is compiled here.
        inputs: Its inputs, (N, ...) each: pictures first.
        labels: (N,) true classes, or None.
        steps: How many batches.
        batch_size: Pictures per step, at most.
        learning_rate: Where the rate starts.
        seed: Of the order of the pictures, in a `seeded` block.
        progress: As for `distill`.
    """
    import keras

    fading = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    distiller.compile(keras.optimizers.Adam(fading), loss, steps_per_execution=at_once(steps))
    order = shuffled(len(inputs[0]), steps, min(batch_size, len(inputs[0])), seed)
    take_steps(distiller, inputs, labels, order, what="Distilling", progress=progress)


def _answers(teacher, student, images, classes: int, progress: bool | None) -> np.ndarray:
    """The teacher's logits for all pictures."""
    if hasattr(teacher, "weights"):
        own = {id(weight) for weight in teacher.weights}
        demand(
            not any(id(weight) in own for weight in student.weights),
            "The student shares weights with the teacher, so teaching it would change both.",
            "Build the student anew, or copy it with keras.models.clone_model.",
        )
        teacher = extract_features(teacher, images, progress=progress)
    answers = checked_logits(teacher, "teacher")
    demand(
        len(answers) == len(images),
        f"The teacher's answers have the shape {answers.shape} for {len(images)} pictures.",
        "Give such logits for each picture, or the model itself.",
    )
    demand(
        answers.shape[1] == classes,
        f"The teacher tells {answers.shape[1]} classes apart, the student {classes}.",
        f"Build a student with classes={answers.shape[1]}, or choose another teacher.",
    )
    return answers

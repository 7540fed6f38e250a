"""What is wrong with a model, though no error says so (lesson 04a)."""

from typing import TYPE_CHECKING

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError
from tlkit.keras_tools import built_model

__all__ = ["diagnose"]

if TYPE_CHECKING:
    import keras

    from tlkit.findings import Findings
    from tlkit.workshop.classifier import ImageClassifier


def diagnose(
    model: "keras.Model | ImageClassifier",
    dataset: ImageDataset | tuple[np.ndarray, np.ndarray] | None = None,
) -> "Findings":
    """Say what is wrong with a model as it stands: the mistakes that raise no error.

    It looks at the layers, the optimizer and the loss, and at what the model makes of a few
    pictures. Nothing of the model is changed. It knows the mistakes of lesson 04a and no others:
    an empty table is no proof that all is well. What does no harm is no mistake, such as
    `from_logits=True` after a softmax: on TensorFlow, Keras finds the logits behind it.

    It asks of each layer whether it holds learnt values: more than its initializer gives, and more
    than the steps of this compile can have changed. So a model that you trained yourself counts as
    pretrained once it is compiled again.

    Args:
        model: A built image model from (N, H, W, C) to (N, classes), compiled or not; or a trained
            classifier, whose names of classes are then compared with those of the labels.
        dataset: What it is to be trained on; needed to judge the scaling of the inputs, the width
            of the head and the form of the labels. A pair of arrays (pictures, labels) will do;
            the pictures are then passed as they are.

    Returns:
        The findings, errors first; true when something is wrong. Each has a `name`, what was
        `found`, its `mend` and a `severity`: `"error"`, it defeats the training or the answers;
        `"warning"`, it costs accuracy; or `"note"`, which is `fine`: nothing is wrong.

    Raises:
        InputError: Not a built model, pictures it cannot take, or not one label for each.

    Example:
        >>> diagnose(small_network())
        Nothing found.
    """
    from tlkit.diagnosis.mistakes import examine
    from tlkit.diagnosis.subjects import Subject

    names = getattr(model, "class_names", None)
    if hasattr(model, "held_back"):  # a trained classifier
        model = model.model
    built_model(model)
    if dataset is None:
        return examine(Subject(model))
    if hasattr(dataset, "class_names"):
        images, labels = checks.dataset(dataset).images, dataset.labels
        pairs = (names, dataset.class_names) if names else None
        classes = len(dataset.class_names)
        return examine(Subject(model, images, labels, classes, exact=True, names=pairs))
    images, labels = _pair(dataset)
    rows = labels.ndim == 2 and labels.shape[1] > 1
    classes = labels.shape[1] if rows else int(labels.max()) + 1
    return examine(Subject(model, images, labels, classes))


def _pair(dataset: object) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and their labels as arrays, one label (or one row of numbers) for each picture."""
    pair = isinstance(dataset, tuple | list) and len(dataset) == 2
    what = f"{type(dataset).__name__} is no set of pictures with labels."
    demand(pair, what, "Pass an ImageDataset, or a pair of arrays (pictures, labels).")
    try:
        images, labels = (np.asarray(part) for part in dataset)
    except ValueError:
        raise InputError(
            "The pictures, or the labels, differ in shape from one another.",
            "Pass arrays: pictures (N, H, W, C), and labels (N,) or (N, classes).",
        ) from None
    fine = images.ndim == 4 and len(images) and images.dtype.kind in "uif"
    what = f"The pictures are {images.dtype} of shape {images.shape}."
    demand(fine, what, "Pass numbers of shape (N, H, W, C), one picture at least.")
    what = f"There are {len(images)} pictures, and labels of shape {labels.shape}."
    fine = labels.ndim in (1, 2) and labels.size and len(labels) == len(images)
    demand(fine, what, "Pass one label, or one row of numbers, for each.")
    fine = labels.dtype.kind in "uifb" and np.isfinite(labels).all()
    what = f"`labels` is {labels.dtype}, or has values that are no numbers."
    demand(fine, what, "Count the classes: np.unique(…, return_inverse=True)[1].")
    return images, labels

"""What is wrong with a model, though no error says so (lesson 04a)."""

from typing import TYPE_CHECKING

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.data.image_dataset import ImageDataset
from tlkit.keras_tools import built_model

__all__ = ["diagnose"]

if TYPE_CHECKING:
    import keras

    from tlkit.findings import Findings


def diagnose(
    model: "keras.Model",
    dataset: ImageDataset | tuple[np.ndarray, np.ndarray] | None = None,
) -> "Findings":
    """Say what is wrong with a model as it stands: the mistakes that raise no error.

    It looks at the layers, the optimizer and the loss, and at what the model makes of a few
    pictures. Nothing of the model is changed. It knows the mistakes of lesson 04a and no others:
    an empty table is no proof that all is well.

    It asks of each layer whether it holds learnt values: more than its initializer gives, and more
    than the steps of this compile can have changed. So a model that you trained yourself counts as
    pretrained once it is compiled again.

    Args:
        model: A built image model from (N, H, W, C) to (N, classes), compiled or not.
        dataset: What it is to be trained on; needed to judge the scaling of the inputs, the width
            of the head and the form of the labels. A pair of arrays (pictures, labels) will do;
            the pictures are then passed as they are.

    Returns:
        The findings, errors first; true when there is one. Each has a `name`, what was `found`, its
        `mend` and a `severity`: `"error"`, it defeats the training or the answers, or `"warning"`,
        it costs accuracy.

    Raises:
        InputError: Not a built model, or pictures it cannot take.

    Example:
        >>> diagnose(small_network())
        Nothing found.
    """
    from tlkit.diagnosis.mistakes import examine
    from tlkit.diagnosis.subjects import Subject

    built_model(model)
    if dataset is None:
        return examine(Subject(model))
    exact = hasattr(dataset, "class_names")
    if exact:
        images, labels = checks.dataset(dataset).images, dataset.labels
    else:
        pair = isinstance(dataset, tuple | list) and len(dataset) == 2
        what = f"{type(dataset).__name__} is no set of pictures with labels."
        demand(pair, what, "Pass an ImageDataset, or a pair of arrays (pictures, labels).")
        images, labels = (np.asarray(part) for part in dataset)
        what = f"There are {len(images)} pictures, and labels of shape {labels.shape}."
        demand(labels.ndim and len(labels) == len(images) > 0, what, "Pass one label for each.")
        what = f"`labels` is {labels.dtype}."
        demand(labels.dtype.kind in "uifb", what, "Count the classes: np.unique(…)[1].")
    if exact:
        classes = len(dataset.class_names)
    else:
        classes = labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
    return examine(Subject(model, images, labels, classes, exact))

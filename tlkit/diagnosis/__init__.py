"""What is wrong with a model, though no error says so (lesson 04a)."""

from typing import TYPE_CHECKING

import numpy as np

from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError

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
    import keras

    from tlkit.diagnosis.checks import examine
    from tlkit.diagnosis.subjects import Subject

    if not isinstance(model, keras.Model) or not model.built:
        raise InputError(
            f"{type(model).__name__} is not a Keras model with weights.",
            "Pass a model; call it once on a batch of pictures if it is subclassed.",
        )
    if dataset is None:
        return examine(Subject(model))
    if isinstance(dataset, ImageDataset):
        images, labels, classes = dataset.images, dataset.labels, len(dataset.class_names)
    else:
        images, labels = (np.asarray(part) for part in dataset)
        classes = labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
    return examine(Subject(model, images, labels, classes, isinstance(dataset, ImageDataset)))

"""Pictures as they are handed to a classifier: paths, or arrays of any size."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.checks import pictures
from tlkit.errors import InputError, MissingFileError

if TYPE_CHECKING:
    import keras


def as_batch(images: Any, model: "keras.Model") -> np.ndarray:
    """See `ImageClassifier.pictures`."""
    size = int(model.input_shape[1])
    if isinstance(images, str | Path):
        images = [images]
    if isinstance(images, list | tuple) and images and isinstance(images[0], str | Path):
        return np.stack([_read(Path(each).expanduser(), size) for each in images])
    images = np.asarray(images)
    images = images[None] if images.ndim == 3 else images
    fine = images.ndim == 4 and images.shape[-1] == 3 and len(images) and images.dtype != object
    if fine and images.shape[1:] != (size, size, 3) and images.dtype == np.uint8:
        return np.stack([_fit(each, size) for each in images])
    return pictures(images, model.input_shape[1:])


def _read(path: Path, size: int) -> np.ndarray:
    from tlkit.data.folders import Unusable, read_picture

    if not path.is_file():
        raise MissingFileError(f"There is no picture {str(path)!r}.", "Check the spelling.")
    try:
        return read_picture(path, size)
    except Unusable as reason:
        raise InputError(f"{str(path)!r} cannot be used: {reason}.", "Try another.") from None


def _fit(image: np.ndarray, size: int) -> np.ndarray:
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.fit(Image.fromarray(image), (size, size), Image.LANCZOS))

"""What is looked at before training: whether it can be done, copies, and what to say about it."""

import numpy as np

from tlkit.data import duplicates
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError
from tlkit.workshop.training import UNEVEN

SMALLEST = 32  # pixels that the network needs
FEW = 10  # pictures in a class below which a classifier is a first try


def suited(data: ImageDataset) -> None:
    """Raise InputError when pictures cannot be trained on."""
    if not isinstance(data, ImageDataset):
        raise InputError(
            f"{type(data).__name__} is no set of pictures with labels.",
            'Load one, as with tlkit.load_folder("pictures/").',
        )
    height, width = data.images.shape[1:3]
    if height != width or height < SMALLEST:
        raise InputError(
            f"The pictures are {width}×{height} pixels; square ones of {SMALLEST} or more are "
            "needed.",
            "Load them with image_size=160.",
        )
    _enough(data, "")


def _enough(data: ImageDataset, why: str) -> None:
    counts = np.bincount(data.labels, minlength=len(data.class_names))
    if len(counts) < 2:
        raise InputError("There is one class only.", "Add pictures of something else.")
    if counts.min() < 2:
        name, count = data.class_names[counts.argmin()], counts.min()
        many = ("no picture", "one picture")[count]
        raise InputError(
            f"The class {name!r} has {many}{why}; two are the least, to learn and to judge by.",
            "Add pictures of it; ten or more make a classifier that can be trusted a little.",
        )


def cleaned(data: ImageDataset, prints: np.ndarray) -> tuple[ImageDataset, list[str]]:
    """The pictures without copies, and what to say about those."""
    first = duplicates.groups(prints)
    alone = np.array([len(np.unique(data.labels[first == each])) == 1 for each in first], bool)
    keep = alone & (first == np.arange(len(first)))
    notes = []
    if copies := int((alone & ~keep).sum()):
        notes.append(
            f"{copies} {_are(copies)} of another picture in the same class and left out: judged by "
            "a twin that it learnt from, a classifier looks better than it is."
        )
    if torn := int((~alone).sum()):
        names = sorted({data.class_names[label] for label in data.labels[~alone]})
        notes.append(
            f"{torn} pictures are left out because the same picture lies in more than one class "
            f"({', '.join(names[:4])}): one label must be wrong."
        )
    if not notes:
        return data, notes
    rest = data.subset(np.flatnonzero(keep))
    _enough(rest, " when copies are left out")
    return rest, notes


def notes_on(data: ImageDataset, skipped: tuple) -> list[str]:
    """Sentences on how many pictures there are."""
    counts = np.bincount(data.labels)
    notes = []
    if counts.max() >= UNEVEN * counts.min():
        small, large = data.class_names[counts.argmin()], data.class_names[counts.argmax()]
        notes.append(
            f"The classes are uneven: {counts.max()} of {large!r}, {counts.min()} of {small!r}. "
            "They were evened out, so that a rare class is answered as readily as a frequent one; "
            "look at each class's share, not at the accuracy alone."
        )
    if counts.min() < FEW:
        notes.append(
            f"{data.class_names[counts.argmin()]!r} has {counts.min()} pictures: take this for a "
            "first try. More pictures help more than anything else."
        )
    if skipped:
        path, reason = skipped[0]
        left = "1 file was" if len(skipped) == 1 else f"{len(skipped)} files were"
        notes.append(f"{left} left out, such as {path} ({reason}).")
    return notes


def _are(count: int) -> str:
    return "picture is a copy" if count == 1 else "pictures are copies"

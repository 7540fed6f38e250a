"""What is looked at before training: whether it can be done, copies, and what to say about it."""

import numpy as np

from tlkit import checks
from tlkit.data.copies import find_copies
from tlkit.data.image_dataset import ImageDataset

# Pixels that the network needs.
SMALLEST = 32
# Pictures in a class below which a classifier is a first try.
FEW = 10
# From this ratio of the largest class to the smallest on, classes are evened out.
UNEVEN = 3.0


def suited(data: ImageDataset) -> None:
    """Raise InputError when pictures cannot be trained on."""
    height, width = checks.dataset(data).images.shape[1:3]
    checks.demand(
        height == width >= SMALLEST,
        f"The pictures are {width}×{height} pixels; square ones of {SMALLEST} or more are needed.",
        "Load them with image_size=160.",
    )
    _enough(data)


def _enough(data: ImageDataset, why: str = "", instead: str = "") -> None:
    counts = np.bincount(data.labels, minlength=len(data.class_names))
    checks.demand(len(counts) > 1, "There is one class only.", "Add pictures of something else.")
    name, fewest = data.class_names[counts.argmin()], counts.min()
    checks.demand(
        fewest > 1,
        f"The class {name!r} has {'one' if fewest else 'no'} picture{why}; two are the least, to "
        "learn and to judge by.",
        "Add pictures of it; ten or more make a classifier that can be trusted a little." + instead,
    )


def without_copies(data: ImageDataset) -> tuple[ImageDataset, list[str]]:
    """One picture of each group of copies, none where their labels differ; and what to say."""
    copies = find_copies(data.images)
    # Arrows to the left and to the right are mirror images, and rightly in two classes.
    turned = copies.mirrored & (data.labels != data.labels[copies.of])
    _, places, groups = np.unique(2 * copies.of + turned, return_index=True, return_inverse=True)
    firsts = places[groups]
    torn = np.isin(firsts, firsts[data.labels != data.labels[firsts]])
    copied = ~torn & (firsts != np.arange(len(data)))
    notes = []
    if copied.any():
        many = "picture is a copy" if copied.sum() == 1 else "pictures are copies"
        mirrored = (copied & copies.mirrored).sum()
        notes.append(
            f"{copied.sum()} {many} of another picture in the same class"
            f"{f' ({mirrored} of them mirrored)' if mirrored else ''} and left out: judged by a "
            "twin that it learnt from, a classifier looks better than it is."
        )
    if torn.any():
        names = sorted({data.class_names[label] for label in data.labels[torn]})
        notes.append(
            f"{torn.sum()} pictures are left out because the same picture lies in more than one "
            f"class ({', '.join(names[:4])}): one label must be wrong."
        )
    if turned.any():
        names = sorted({data.class_names[label] for label in data.labels[turned]})
        notes.append(
            f"{turned.sum()} of the pictures in {', '.join(names[:4])} are mirror images of "
            "pictures in another class. They stay: left and right may tell your classes apart."
        )
    if not (torn | copied).any():
        return data, notes
    rest = data.subset(np.flatnonzero(~torn & ~copied))
    _enough(rest, " when copies are left out", ' If they are none, keep them: copies="keep".')
    return rest, notes


def notes_on(data: ImageDataset) -> list[str]:
    """Sentences on how many pictures there are."""
    counts = np.bincount(data.labels)
    (rarest, fewest), (commonest, most) = (
        (data.class_names[place], counts[place]) for place in (counts.argmin(), counts.argmax())
    )
    notes = []
    if most >= UNEVEN * fewest:
        notes.append(
            f"The classes are uneven: {most} of {commonest!r}, {fewest} of {rarest!r}. "
            "They were evened out, so that a rare class is answered as readily as a frequent one; "
            "look at each class's share, not at the accuracy alone."
        )
    if fewest < FEW:
        notes.append(
            f"{rarest!r} has {fewest} pictures: take this for a first try. More pictures help more "
            "than anything else."
        )
    if data.skipped:
        path, reason = data.skipped[0]
        many = "1 file was" if len(data.skipped) == 1 else f"{len(data.skipped)} files were"
        notes.append(f"{many} left out, such as {path} ({reason}).")
    return notes

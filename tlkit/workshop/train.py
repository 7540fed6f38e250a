"""Train a classifier of one's own pictures, with a choice of strategy (lesson 07)."""

from importlib.metadata import version

import numpy as np

from tlkit.data import duplicates
from tlkit.data.image_dataset import ImageDataset, a_seed
from tlkit.errors import InputError
from tlkit.workshop.classifier import ImageClassifier

WAYS = ("auto", "features", "fine-tune")


def train_classifier(
    dataset: ImageDataset, strategy: str = "auto", seed: int = 0, progress: bool | None = None
) -> ImageClassifier:
    """Train a classifier of your pictures, and say how well it does and what was found in them.

    Copies of a picture are left out but for one, and pictures that lie in two classes altogether.
    With `"features"` a linear head is fitted on frozen features, and every picture is judged by a
    head that was fitted without it. With `"fine-tune"` the whole network moves; it is judged on a
    fifth of the pictures, held back. `"auto"` does what `recommend` recommends, and lets the whole
    network move where that is training from scratch. Where one class has three times as
    many pictures as another or more, the classes are evened out.

    Args:
        dataset: Square pictures of 32 pixels or more; two classes with two pictures each at least,
            and five to say anything of use.
        strategy: `"auto"`, `"features"` or `"fine-tune"`.
        seed: Of the split and of the order of the pictures.
        progress: True to tell how far it has come, False not to, None to tell after three seconds.

    Returns:
        The classifier.

    Raises:
        InputError: Pictures, labels or a strategy that do not fit.

    Example:
        >>> mine = load_folder("pictures/")                                 # doctest: +SKIP
        >>> classifier = train_classifier(mine)                             # doctest: +SKIP
        >>> classifier.save("model.keras")                                  # doctest: +SKIP
    """
    from tlkit.workshop.suitability import cleaned, notes_on, suited
    from tlkit.workshop.training import choose, train

    a_seed(seed)
    if strategy not in WAYS:
        raise InputError(f"There is no strategy {strategy!r}.", f"Use one of {', '.join(WAYS)}.")
    suited(dataset)
    prints = duplicates.fingerprints(dataset.images)
    data, found = cleaned(dataset, prints)
    reasons, way, layer = (), strategy, None
    if strategy == "auto":
        way, layer, reasons = choose(data, seed)
    trained, seconds = train(way, data, layer, seed, progress)
    about = {
        "name": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "counts": np.bincount(data.labels, minlength=len(data.class_names)).tolist(),
        "skipped": len(dataset.skipped),
        "strategy": way,
        "seed": int(seed),
        "seconds": seconds,
        "versions": ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy")),
    }
    notes = (trained.note, *reasons, *found, *notes_on(data, dataset.skipped))
    return ImageClassifier(trained.model, data.class_names, trained.held_back, notes, about, prints)

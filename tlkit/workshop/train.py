"""Train a classifier of one's own pictures, with a choice of strategy (lesson 07)."""

import functools
import time
from importlib.metadata import version

import numpy as np

from tlkit import checks
from tlkit.data.copies import fingerprints
from tlkit.data.image_dataset import ImageDataset
from tlkit.workshop import preparation, strategies
from tlkit.workshop.classifier import ImageClassifier
from tlkit.workshop.recommendation import read_features


def train_classifier(
    dataset: ImageDataset,
    strategy: str = "auto",
    seed: int = 0,
    progress: bool | None = None,
    copies: str = "drop",
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
        copies: `"drop"`, or `"keep"` to train on every picture, however like another.

    Returns:
        The classifier.

    Raises:
        InputError: Pictures, labels or a strategy that do not fit.

    Example:
        >>> mine = load_folder("pictures/")                                 # doctest: +SKIP
        >>> classifier = train_classifier(mine)                             # doctest: +SKIP
        >>> classifier.save("model.keras")                                  # doctest: +SKIP
    """
    seed = checks.seed(seed)
    checks.choice(strategy, strategies.STRATEGIES, "strategy")
    checks.choice(copies, strategies.COPIES, "way with copies")
    preparation.suited(dataset)
    data, found, reasons, layer = dataset, [], [], None
    if copies == "drop":
        data, found = preparation.without_copies(dataset)
    if strategy == "auto":
        read = functools.partial(read_features, show=progress)
        strategy, layer, reasons = strategies.choose(data, seed, read)
    began = time.perf_counter()
    base = strategies.load_base(data.images.shape[1], layer)
    train = strategies.on_features if strategy == "features" else strategies.by_fine_tuning
    trained = train(data, base, seed, progress)
    about = {
        "name": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "counts": np.bincount(data.labels).tolist(),
        "skipped": len(dataset.skipped),
        "white": dataset.white,
        "strategy": strategy,
        "seed": seed,
        "seconds": time.perf_counter() - began,
        "versions": ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy")),
    }
    notes = (trained.note, *reasons, *found, *dataset.notes, *preparation.notes_on(data))
    prints = fingerprints(dataset.images)
    return ImageClassifier(trained.model, data.class_names, trained.held_back, notes, about, prints)

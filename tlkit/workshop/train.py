"""Train a classifier of one's own pictures, with a choice of strategy (lesson 07)."""

import time
from importlib.metadata import version

import numpy as np

from tlkit import checks
from tlkit.data.copies import fingerprints
from tlkit.data.image_dataset import ImageDataset
from tlkit.workshop import preparation, search, strategies
from tlkit.workshop.classifier import ImageClassifier


def train_classifier(
    dataset: ImageDataset,
    strategy: str = "auto",
    seed: int = 0,
    progress: bool | None = None,
    copies: str = "drop",
    minutes: float = 1.0,
) -> ImageClassifier:
    """Train a classifier of your pictures, and say how well it does and what was found in them.

    Copies of a picture are left out but for one, and pictures that lie in two classes altogether.
    With `"features"` a linear head is fitted on frozen features, and every picture is judged by a
    head that was fitted without it. With `"fine-tune"` the late layers move, too; it is judged on a
    fifth of the pictures, held back. Where one class has three times as many pictures as another or
    more, the classes are evened out.

    `"auto"` tries in turn what may pay, and keeps what does best on pictures not learnt from: heads
    at 160 pixels and at the size that the pictures have, on an earlier layer, with other values of
    C; then fine-tuning, and fine-tuning with mirror images. It stops where little is left to gain
    or no time is left, and tells what it tried, what that gained and what it took. Read photographs
    at 224 pixels for it, as `load_pictures` does.

    Args:
        dataset: Square pictures of 32 pixels or more; two classes with two pictures each at least,
            and five to say anything of use.
        strategy: `"auto"`, `"features"` or `"fine-tune"`.
        seed: Of the split and of the order of the pictures.
        progress: True to tell how far it has come, False not to, None to tell after three seconds.
        copies: `"drop"`, or `"keep"` to train on every picture, however like another.
        minutes: What `"auto"` may take, above 0. With more time it tries more.

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
    minutes = checks.number(minutes, "minutes", 0)
    data, found, tried = dataset, [], []
    if copies == "drop":
        data, found = preparation.without_copies(dataset)
    began = time.perf_counter()
    if strategy == "auto":
        searched = search.Search(data, seed, minutes, progress)
        trained, tried = searched.run(), searched.tried
    elif strategy == "features":
        trained = strategies.on_features(data, seed, progress)
    else:
        trained = strategies.by_fine_tuning(data, seed, progress)
    about = {
        "name": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "counts": np.bincount(data.labels).tolist(),
        "skipped": len(dataset.skipped),
        "white": dataset.white,
        "strategy": trained.strategy,
        "tried": tried,
        "seed": seed,
        "seconds": time.perf_counter() - began,
        "versions": ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy")),
    }
    notes = (trained.note, *found, *dataset.notes, *preparation.notes_on(data))
    prints = fingerprints(dataset.images)
    return ImageClassifier(trained.model, data.class_names, trained.held_back, notes, about, prints)

"""A notebook of one's own attempts: what was tried, how well it did, and how long it took."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit import checks
from tlkit.checks import demand, number
from tlkit.data.image_dataset import ImageDataset
from tlkit.features import extract_features
from tlkit.heads import cross_validate
from tlkit.networks import backbones
from tlkit.scores import Score, score

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def compare_backbones(
    dataset: ImageDataset,
    names: Sequence[str] = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"),
    image_sizes: Sequence[int] = (160, 224),
    seed: int = 0,
) -> "Attempts":
    """Which network, and which size? Accuracy and time of each on your own pictures.

    A linear head is cross-validated on the frozen features of each network at each size. The
    seconds are those of computing the features, with nothing read from a cache.

    Args:
        dataset: Labelled pictures, as large as the largest size; read them with
            `load_pictures(…, image_size=224)`. For smaller sizes they are scaled down.
        names: Networks, as `load_backbone` knows them.
        image_sizes: Pixels of a side.
        seed: Which picture goes to which part of the cross-validation.

    Returns:
        The comparison, which prints as a table and can `draw` itself.

    Raises:
        InputError: Unknown networks, sizes that do not fit, or too few pictures.
        MissingFileError: The weights of a network are not on this computer.

    Example:
        >>> compare_backbones(load_pictures("pictures/"))                   # doctest: +SKIP
        attempt                        accuracy                                       seconds
        efficientnet-lite0, 160 px     91.0% (95 % interval 87.3% to 93.7%, n = 300)      1.8
        ...
    """
    side, found = checks.dataset(dataset).images.shape[1], Attempts()
    demand(np.iterable(image_sizes), f"`image_sizes` is {image_sizes!r}.", "Give a list of them.")
    sizes = [checks.whole(size, "image_sizes", 32, side) for size in image_sizes]
    for name in checks.texts(names, "`names`"):
        for size in sizes:
            base, images = backbones.load_backbone(name, size), dataset.resized(size).images
            began = time.perf_counter()
            features = extract_features(base, images, cache=False)
            seconds = time.perf_counter() - began
            logits = cross_validate(features, dataset.labels, seed=seed)
            found.add_score(f"{name}, {size} px", score(dataset.labels, logits), seconds)
    return found


class Attempts:
    """Attempts in the order they were made; prints as a table.

    Example:
        >>> attempts = Attempts()
        >>> attempts.add_score("always hat", score([0, 1, 1], [1, 1, 1]), seconds=0.1)
        >>> attempts
        attempt      accuracy                                              seconds
        always hat   66.7% (95 % interval 20.8% to 93.9%, n = 3)               0.1
    """

    def __init__(self):
        self.rows: list[tuple[str, Score, float]] = []

    def add_score(self, name: str, result: Score, seconds: float) -> None:
        """Note an attempt; one of the same name is replaced.

        Args:
            name: What was tried.
            result: From `tlkit.scores.score`, or an `Evaluation`'s `score`.
            seconds: How long it took.

        Raises:
            InputError: Not a name, a score and a number.
        """
        demand(
            isinstance(name, str) and name.isprintable() and isinstance(result, Score),
            f"An attempt needs a name that can be printed and a score, not {name!r}, {result!r}.",
            "Use tlkit.scores.score(labels, predictions).",
        )
        seconds = number(seconds, "seconds", 0, ends=True)
        self.rows = [row for row in self.rows if row[0] != name]
        self.rows.append((name, result, seconds))

    def run(self, name: str, attempt: Callable[[], Any], labels: Any) -> None:
        """Make an attempt, take its time, note it, and print the line.

        Args:
            name: What is tried.
            attempt: Trains something and returns its predictions for the validation pictures: (N,)
                classes, or (N, classes) logits or probabilities.
            labels: (N,) their true classes.

        Raises:
            InputError: Nothing that can be run, or predictions that do not fit the labels.
        """
        demand(callable(attempt), f"{attempt!r} cannot be run.", "Pass a function, without ().")
        began = time.perf_counter()
        predictions = attempt()
        seconds = time.perf_counter() - began
        result = score(labels, predictions)
        self.add_score(name, result, seconds)
        print(f"{name}: {result}, {seconds:.0f} s")

    def __repr__(self) -> str:
        width = max([len("attempt"), *(len(name) for name, _, _ in self.rows)])
        lines = [f"{'attempt':{width}}   {'accuracy':50} {'seconds':>10}"]
        lines += [f"{name:{width}}   {result!s:50} {s:10.1f}" for name, result, s in self.rows]
        return "\n".join(lines)

    def draw(self) -> "Figure":
        """The attempts as bars with their intervals.

        Returns:
            The figure.

        Raises:
            InputError: There are none yet.
        """
        from tlkit.plots import bars_with_intervals

        demand(self.rows, "There are no attempts yet.", "Note one with run or add_score.")
        return bars_with_intervals(
            [f"{name} ({seconds:.0f} s)" for name, _, seconds in self.rows],
            [result.accuracy for _, result, _ in self.rows],
            [(result.low, result.high) for _, result, _ in self.rows],
            value_label="accuracy on validation pictures, with 95 % interval",
            percent=True,
        )

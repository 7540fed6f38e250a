"""How well a classifier did on pictures that it had not seen, and where it failed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tlkit.checks import demand, whole
from tlkit.data.image_dataset import ImageDataset
from tlkit.scores import Score, score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Pictures kept to be shown.
KEPT = 24


class Mistake(NamedTuple):
    """A picture's index, its class, the class predicted, and how sure that was (0 to 1)."""

    index: int
    label: int
    prediction: int
    probability: float


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What a classifier made of pictures that it did not learn from.

    Args:
        confusion: int (classes, classes); rows are true classes, columns predicted ones.
        class_names: What each class is called.
        how: How the pictures were kept apart, such as `"held back"`.
        mistakes: The surest mistakes first.
        copies: Indices of pictures that seem to be copies of training pictures.
        without_copies: The accuracy without those, if there are any.
        hardest: (picture, title) of the surest mistakes, then of the least sure right answers.
    """

    confusion: np.ndarray
    class_names: tuple[str, ...]
    how: str
    mistakes: tuple[Mistake, ...] = ()
    copies: tuple[int, ...] = ()
    without_copies: Score | None = None
    hardest: tuple[tuple[np.ndarray, str], ...] = ()

    @property
    def score(self) -> Score:
        """Accuracy, its 95 % interval and the number of pictures."""
        labels, predictions = np.indices(self.confusion.shape).reshape(2, -1)
        counts = self.confusion.ravel()
        return score(np.repeat(labels, counts), np.repeat(predictions, counts))

    @property
    def accuracy(self) -> float:
        """The share of right predictions, 0 to 1."""
        return self.score.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson)."""
        return self.score.low, self.score.high

    @property
    def recall(self) -> np.ndarray:
        """For each class the share of its pictures that was recognised; NaN where it has none."""
        counts = self.confusion.sum(axis=1)
        return np.where(counts, np.diag(self.confusion) / np.maximum(counts, 1), np.nan)

    def __repr__(self) -> str:
        width = max(map(len, self.class_names))
        lines = [f"{self.score}, {self.how}"]
        for name, row, right in zip(
            self.class_names, self.confusion, np.diag(self.confusion), strict=True
        ):
            if row.sum():
                lines.append(f"  {name:{width}}  {right:3} of {row.sum()} recognised")
        if self.copies:
            lines.append(
                f"{len(self.copies)} of these pictures seem to be copies of training pictures and "
                f"flatter the result. Without them: {self.without_copies or 'nothing is left'}"
            )
        return "\n".join(lines)

    def draw(self) -> "Figure":
        """The confusion matrix as a figure."""
        from tlkit.plots import confusion_matrix

        return confusion_matrix(self.confusion, self.class_names, title=f"{self.accuracy:.1%}")

    def show_mistakes(self, n: int = 8) -> "Figure":
        """The surest mistakes; where there are fewer, the least sure right answers follow.

        Args:
            n: How many pictures; 24 are kept.

        Returns:
            The figure.

        Raises:
            InputError: No number of pictures, or a saved classifier's, which holds none.
        """
        from tlkit.plots import image_grid

        demand(
            self.hardest,
            "The pictures of this evaluation are not at hand: a saved classifier holds none.",
            "Evaluate it again on your pictures.",
        )
        pictures, titles = zip(*self.hardest[: whole(n, "n", 1)], strict=True)
        return image_grid(pictures, titles, columns=4 if len(pictures) > 3 else None)


def evaluate(
    data: ImageDataset, probabilities: np.ndarray, how: str, copies: np.ndarray | tuple = ()
) -> Evaluation:
    """Sum up predictions.

    Args:
        data: Pictures with their true classes.
        probabilities: (N, classes).
        how: How the pictures were kept apart from those learnt from.
        copies: Indices of copies of training pictures.

    Returns:
        The evaluation.
    """
    labels, names = data.labels, data.class_names
    predictions, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    confusion = np.zeros((len(names),) * 2, int)
    np.add.at(confusion, (labels, predictions), 1)
    wrong = predictions != labels
    order = np.lexsort((np.where(wrong, -sure, sure), ~wrong))

    def title(i: int) -> str:
        ending = f"is {names[labels[i]]}" if wrong[i] else "right"
        return f"{names[predictions[i]]} {sure[i]:.0%}, {ending}"

    rest = np.setdiff1d(np.arange(len(labels)), copies)
    some_copied = 0 < len(rest) < len(labels)
    return Evaluation(
        confusion,
        names,
        how,
        mistakes=tuple(
            Mistake(int(i), int(labels[i]), int(predictions[i]), float(sure[i]))
            for i in order[: wrong.sum()]
        ),
        copies=tuple(map(int, copies)),
        without_copies=score(labels[rest], predictions[rest]) if some_copied else None,
        hardest=tuple((data.images[i], title(i)) for i in order[:KEPT]),
    )

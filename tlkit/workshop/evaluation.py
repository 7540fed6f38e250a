"""How well a classifier did on pictures that it had not seen, and where it failed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tlkit.scores import Score, score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEPT = 24  # pictures kept to be shown


class Mistake(NamedTuple):
    """A picture's index, its class, the answer, and how sure the answer was (0 to 1)."""

    index: int
    label: int
    answer: int
    probability: float


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What a classifier made of pictures that it did not learn from.

    Args:
        confusion: int (classes, classes); rows are true classes, columns answers.
        class_names: What each class is called.
        how: How the pictures were kept apart, such as `"held back"`.
        mistakes: The surest mistakes first.
        copies: Indices of pictures that are copies of training pictures.
        without_copies: The accuracy without those, if there are any.
        hardest: (picture, title) of the surest mistakes, then of the least sure right answers.
    """

    confusion: np.ndarray
    class_names: tuple[str, ...]
    how: str
    mistakes: tuple[Mistake, ...] = ()
    copies: tuple[int, ...] = ()
    without_copies: Score | None = None
    hardest: tuple[tuple[np.ndarray, str], ...] = field(default=(), repr=False)

    @property
    def score(self) -> Score:
        """Accuracy, its 95 % interval and the number of pictures."""
        true, answers = np.divmod(np.arange(self.confusion.size), len(self.confusion))
        counts = self.confusion.ravel()
        return score(np.repeat(true, counts), np.repeat(answers, counts))

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0 to 1."""
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
        wide = max(map(len, self.class_names))
        lines = [f"{self.score}, {self.how}"]
        for name, row, share in zip(self.class_names, self.confusion, self.recall, strict=True):
            if row.sum():
                lines.append(f"  {name:{wide}}  {share:4.0%} of {row.sum()} recognised")
        if self.copies:
            lines.append(
                f"{len(self.copies)} of these pictures are copies of training pictures and flatter "
                f"the result. Without them: {self.without_copies or 'nothing is left'}"
            )
        return "\n".join(lines)

    def draw(self) -> "Figure":
        """The confusion matrix as a figure."""
        from tlkit.plots import confusion_matrix

        return confusion_matrix(self.confusion, self.class_names, title=f"{self.accuracy:.1%}")

    def show_mistakes(self, n: int = 8) -> "Figure":
        """The surest mistakes; where there are fewer, the least sure right answers follow.

        Args:
            n: How many pictures.

        Returns:
            The figure.

        Raises:
            InputError: The pictures are not at hand: a file holds none.
        """
        from tlkit.checks import demand
        from tlkit.plots import image_grid

        demand(
            self.hardest,
            "The pictures of this evaluation are not at hand: a saved classifier holds none.",
            "Evaluate it again on your pictures.",
        )
        pictures, titles = zip(*self.hardest[:n], strict=True)
        columns = 4 if len(pictures) > 3 else None
        return image_grid(pictures, titles, columns)


def evaluate(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: tuple[str, ...],
    how: str,
    copies: np.ndarray | tuple = (),
) -> Evaluation:
    """Sum up answers.

    Args:
        images: uint8 (N, H, W, 3).
        labels: (N,) true classes.
        probabilities: (N, classes).
        class_names: What each class is called.
        how: How the pictures were kept apart from those learnt from.
        copies: Indices of copies of training pictures.

    Returns:
        The evaluation.
    """
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    confusion = np.zeros((len(class_names),) * 2, int)
    np.add.at(confusion, (labels, answers), 1)
    wrong = answers != labels
    order = np.lexsort((np.where(wrong, -sure, sure), ~wrong))
    mistakes = [
        Mistake(int(i), int(labels[i]), int(answers[i]), float(sure[i])) for i in order if wrong[i]
    ]

    def title(i: int) -> str:
        said = f"{class_names[answers[i]]} {sure[i]:.0%}"
        return f"said {said}, is {class_names[labels[i]]}" if wrong[i] else f"{said}, right"

    rest = np.setdiff1d(np.arange(len(labels)), copies)
    return Evaluation(
        confusion,
        tuple(class_names),
        how,
        tuple(mistakes),
        tuple(map(int, copies)),
        score(labels[rest], answers[rest]) if len(copies) and len(rest) else None,
        tuple((images[i], title(i)) for i in order[:KEPT]),
    )

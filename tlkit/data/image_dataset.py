"""The one container for pictures and their labels."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tlkit import checks
from tlkit.data.names import class_names as _class_names
from tlkit.data.reading import middle_square
from tlkit.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Pixels.
SMALLEST, LARGEST = 16, 1024


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Pictures with their labels.

    Args:
        images: uint8 (N, height, width, 3), RGB from 0 to 255.
        labels: int64 (N,), each from 0 to `len(class_names) - 1`.
        class_names: What each label means; no two that look the same in print.
        name: What the set is called.
        source: Where the pictures come from.
        licence: Under which licence they may be used.
        skipped: (path, reason) of each file that could not be used.
        notes: Sentences on what was assumed when the files were read.
        white: The value that was taken for white in 16-bit pictures, if there were any.

    Raises:
        InputError: Something has the wrong type, shape or range.

    Example:
        >>> data = ImageDataset(np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1]), ("cat", "dog"))
        >>> len(data)
        2
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    name: str = "pictures"
    source: str = ""
    licence: str = ""
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    white: int | None = None

    def __post_init__(self):
        images = self.images
        kind = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        checks.demand(
            isinstance(images, np.ndarray) and images.dtype == np.uint8,
            f"`images` is {kind}, not an array of uint8.",
            "Give RGB values from 0 to 255 as np.uint8; do not scale them.",
        )
        checks.demand(
            images.ndim == 4 and images.shape[-1] == 3 and 0 not in images.shape[1:],
            f"`images` has the shape {images.shape}.",
            "Give (pictures, height, width, 3).",
        )
        if not (_are_texts(self.notes) and _are_texts(self.skipped, pairs=True)):
            raise InputError(
                f"`notes` is {self.notes!r}, and `skipped` is {self.skipped!r}.",
                "Give a tuple of sentences, and a tuple of pairs of a path and a reason.",
            )
        names = _class_names(self.class_names)
        labels = checks.labels(self.labels, len(images), len(names))
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "class_names", names)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        classes = len(self.class_names)
        return f"<ImageDataset {self.name!r}: {len(self)} pictures, {classes} classes>"

    def counts(self) -> np.ndarray:
        """How many pictures each class has.

        Returns:
            int (classes,).

        Example:
            >>> load_dataset("digits", n=5000).counts().tolist()
            [500, 500, 500, 500, 500, 500, 500, 500, 500, 500]
        """
        return np.bincount(self.labels, minlength=len(self.class_names))

    def subset(self, rows: np.ndarray) -> "ImageDataset":
        """Some of the pictures.

        Args:
            rows: Their indices, int (M,), or bool (N,) with True for those to take.

        Raises:
            InputError: There are no such pictures.
        """
        if not _are_rows(rows, len(self)):
            raise InputError(
                f"`rows` does not choose from {len(self)} pictures.",
                f"Give indices from 0 to {len(self) - 1}, or True and False for each picture.",
            )
        return replace(self, images=self.images[rows], labels=self.labels[rows])

    def split(self, train: int = 200, seed: int = 0) -> tuple["ImageDataset", "ImageDataset"]:
        """Two parts with the classes in the same proportions, the first of an exact size.

        Every class that has pictures is in both parts. Sizes are shared out by largest remainders.

        Args:
            train: Pictures in the first part.
            seed: Which pictures, and in which order.

        Returns:
            The first part and the rest.

        Raises:
            InputError: The sizes cannot be had.

        Example:
            >>> train, test = load_dataset("digits", n=1000).split(train=100)
            >>> len(train), len(test)
            (100, 900)
        """
        train, seed = checks.whole(train, "train", 1), checks.seed(seed)
        counts = self.counts()
        present = counts > 0
        classes = int(present.sum())
        if (counts == 1).any():
            alone = self.class_names[int((counts == 1).argmax())]
            raise InputError(
                f"The class {alone!r} has one picture only, so it cannot be in both parts.",
                "Give each class at least two pictures.",
            )
        most = len(self) - classes
        checks.demand(
            classes and classes <= train <= most,
            f"{train} of {len(self)} pictures cannot be split off with each of {classes} classes "
            "in both parts.",
            f"Give `train` from {classes} to {most}." if classes else "Load some pictures first.",
        )
        first, rest = self._draw(
            _shares(counts, train, present.astype(int), counts - present), seed
        )
        return self.subset(first), self.subset(rest)

    def take(self, n: int, seed: int = 0, of_each: int = 1) -> "ImageDataset":
        """Exactly `n` random pictures, with the classes in the same proportions.

        Args:
            n: How many.
            seed: Which pictures, and in which order.
            of_each: At least so many of each class, or all that it has. With 0, rare classes may be
                missing.

        Returns:
            The smaller set.

        Raises:
            InputError: There are not so many, or too few for that many of each class.

        Example:
            >>> len(load_dataset("digits", n=100).take(20))
            20
        """
        n, counts = checks.whole(n, "n", 1, len(self)), self.counts()
        least = np.minimum(counts, checks.whole(of_each, "of_each", 0))
        checks.demand(
            n >= least.sum(),
            f"{n} pictures are too few for {of_each} of each of {(counts > 0).sum()} classes.",
            f"Take {least.sum()} or more, or let classes be missing with of_each=0.",
        )
        return self.subset(self._draw(_shares(counts, n, least, counts), checks.seed(seed))[0])

    def _draw(self, shares: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """`shares[c]` random rows of each class c, and the rest; both in random order."""
        order = np.argsort(np.random.default_rng(seed).random(len(self)), kind="stable")
        # Which of its class each row is, counted in that order.
        place = np.empty(len(self), int)
        for label in range(len(self.class_names)):
            rows = order[self.labels[order] == label]
            place[rows] = np.arange(len(rows))
        chosen = (place < shares[self.labels])[order]
        return order[chosen], order[~chosen]

    def resized(self, image_size: int) -> "ImageDataset":
        """The same pictures at another size, cut to their middle square.

        Args:
            image_size: Height and width in pixels, from 16 to 1024.

        Example:
            >>> load_dataset("photos").resized(64).images.shape
            (11, 64, 64, 3)
        """
        size = image_side(image_size)
        images = np.empty((len(self), size, size, 3), np.uint8)
        for row, image in enumerate(self.images):
            images[row] = middle_square(Image.fromarray(image), size)
        return replace(self, images=images)

    def describe(self) -> str:
        """A few lines on what is in the set.

        Returns:
            The text.

        Example:
            >>> print(load_dataset("photos").describe().splitlines()[0])
            photos: 11 pictures of 128 x 128 pixels, 11 classes
        """
        height, width = self.images.shape[1:3]
        wide = max(map(len, self.class_names))
        lines = [
            f"{self.name}: {len(self)} pictures of {width} x {height} pixels, "
            f"{len(self.class_names)} classes",
            *(
                f"  {name:<{wide}}  {count:>5}"
                for name, count in zip(self.class_names, self.counts(), strict=True)
            ),
            *(
                f"{what}: {text}"
                for what, text in (("Source", self.source), ("Licence", self.licence))
                if text
            ),
            *(f"Note: {note}" for note in self.notes),
        ]
        if self.skipped:
            lines.append(f"Left out: {len(self.skipped)} files (see `skipped`), such as")
            lines += [f"  {path}: {reason}" for path, reason in self.skipped[:5]]
        return "\n".join(lines)

    def show(self, n: int = 12, columns: int | None = None) -> "Figure":
        """Draw the first pictures with their class names.

        Args:
            n: How many; fewer when the set is smaller.
            columns: Pictures in a row; chosen when None.

        Returns:
            The figure.

        Raises:
            InputError: There are no pictures, or a number is out of range.

        Example:
            >>> figure = load_dataset("photos").show(6)
        """
        from tlkit.plots import image_grid

        some = checks.dataset(self).images[: checks.whole(n, "n", 1)]
        titles = [self.class_names[label] for label in self.labels[: len(some)]]
        return image_grid(some, titles=titles, columns=columns)


def _are_texts(given: Any, pairs: bool = False) -> bool:
    """Whether this is a tuple or a list of texts, or of pairs of them."""
    if not isinstance(given, tuple | list):
        return False
    if pairs:
        return all(_are_texts(each) and len(each) == 2 for each in given)
    return all(isinstance(each, str) for each in given)


def _are_rows(rows: Any, count: int) -> bool:
    """Whether `rows` are indices of `count` pictures, or say of each whether it is meant."""
    rows = checks.array(rows, "The list of indices")
    if rows.dtype == bool:
        return rows.shape == (count,)
    inside = rows.dtype.kind in "iu" and ((rows >= -count) & (rows < count)).all()
    return rows.ndim == 1 and bool(inside)


def image_side(value: object) -> int:
    """Height and width of pictures, in pixels."""
    return checks.whole(value, "image_size", SMALLEST, LARGEST)


def _shares(counts: np.ndarray, total: int, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Split `total` in proportion to `counts` by largest remainders, within bounds."""
    exact = counts * (total / counts.sum())
    shares = np.clip(np.floor(exact).astype(int), least, most)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        free = shares < most if step == 1 else shares > least
        shares[np.where(free, step * (exact - shares), -np.inf).argmax()] += step
    return shares

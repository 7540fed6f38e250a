"""The one container for pictures and their labels."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tlkit.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def whole(value: object, name: str, low: int, high: int | None = None) -> int:
    """A whole number in range, or an error that says which was asked for."""
    within = f"from {low} to {high}" if high is not None else f"of at least {low}"
    right_type = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not right_type or value < low or (high is not None and value > high):
        raise InputError(f"`{name}` is {value!r}.", f"Give a whole number {within}.")
    return int(value)


def a_seed(value: object) -> int:
    """A seed: a whole number that fits in 32 bits."""
    return whole(value, "seed", 0, 2**32 - 1)


def _shares(counts: np.ndarray, total: int, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Split `total` in proportion to `counts` by largest remainders, within bounds."""
    exact = counts * (total / counts.sum())
    shares = np.clip(np.floor(exact).astype(int), least, most)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        free = shares < most if step == 1 else shares > least
        shares[np.where(free, step * (exact - shares), -np.inf).argmax()] += step
    return shares


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Pictures with their labels.

    Args:
        images: uint8 (N, height, width, 3), RGB from 0 to 255.
        labels: int64 (N,), each from 0 to `len(class_names) - 1`.
        class_names: What each label means.
        name: What the set is called.
        source: Where the pictures come from.
        licence: Under which licence they may be used.
        skipped: (path, reason) of each file that could not be used.

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

    def __post_init__(self):
        images, labels = self.images, self.labels
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
            what = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
            raise InputError(
                f"`images` is {what}, not an array of uint8.",
                "Give RGB values from 0 to 255 as np.uint8; do not scale them.",
            )
        if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape[1:]:
            raise InputError(
                f"`images` has the shape {images.shape}.",
                "Give (pictures, height, width, 3).",
            )
        labels = np.asarray(labels)
        if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
            raise InputError(
                f"`labels` is {labels.dtype} of shape {labels.shape} for {len(images)} pictures.",
                "Give one whole number for each picture.",
            )
        names = self.class_names
        if isinstance(names, str) or not all(isinstance(name, str) for name in names) or not names:
            raise InputError(f"`class_names` is {names!r}.", "Give a tuple of one name per class.")
        if len(set(names)) < len(names):
            raise InputError(f"`class_names` repeats a name: {names!r}.", "Name each class once.")
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
            raise InputError(
                f"`labels` go from {labels.min()} to {labels.max()}, for {len(names)} classes.",
                f"Give labels from 0 to {len(names) - 1}.",
            )
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "class_names", tuple(names))
        object.__setattr__(self, "skipped", tuple(tuple(pair) for pair in self.skipped))

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        classes = len(self.class_names)
        return f"<ImageDataset {self.name!r}: {len(self)} pictures, {classes} classes>"

    def _rows(self, shares: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """`shares[c]` random rows of each class c, and the rest; both in random order."""
        generator = np.random.default_rng(seed)
        order = np.argsort(generator.random(len(self)), kind="stable")
        place = np.empty(len(self), int)  # the how-manieth of its class each row is, in that order
        for label in range(len(self.class_names)):
            rows = order[self.labels[order] == label]
            place[rows] = np.arange(len(rows))
        chosen = (place < shares[self.labels])[order]
        return order[chosen], order[~chosen]

    def subset(self, rows: np.ndarray) -> "ImageDataset":
        """Some of the pictures, in the order of their indices `rows`."""
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
        train, seed = whole(train, "train", 1), a_seed(seed)
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        present = counts > 0
        if (counts == 1).any():
            alone = self.class_names[int(np.flatnonzero(counts == 1)[0])]
            raise InputError(
                f"The class {alone!r} has one picture only, so it cannot be in both parts.",
                "Give each class at least two pictures.",
            )
        classes = int(present.sum())
        if not classes or not classes <= train <= len(self) - classes:
            raise InputError(
                f"{train} of {len(self)} pictures cannot be split off with each of {classes} "
                "classes in both parts.",
                f"Give `train` from {classes} to {len(self) - classes}."
                if len(self) >= 2 * classes > 0
                else "Load more pictures.",
            )
        shares = _shares(counts, train, least=present.astype(int), most=counts - present)
        first, rest = self._rows(shares, seed)
        return self.subset(first), self.subset(rest)

    def take(self, n: int, seed: int = 0, of_each: int = 0) -> "ImageDataset":
        """Exactly `n` random pictures, with the classes in the same proportions.

        Args:
            n: How many, from 1 to all of them.
            seed: Which pictures, and in which order.
            of_each: At least so many of each class, or all that it has: rare ones are not lost.

        Returns:
            The smaller set.

        Raises:
            InputError: There are not so many, or too few for that many of each class.

        Example:
            >>> len(load_dataset("digits", n=100).take(20))
            20
        """
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        least = np.minimum(counts, whole(of_each, "of_each", 0))
        n = whole(n, "n", max(1, int(least.sum())), len(self))
        shares = _shares(counts, n, least, most=counts)
        return self.subset(self._rows(shares, a_seed(seed))[0])

    def describe(self) -> str:
        """A few lines on what is in the set.

        Returns:
            The text.

        Example:
            >>> print(load_dataset("photos").describe().splitlines()[0])
            photos: 11 pictures of 128 x 128 pixels, 11 classes
        """
        height, width = self.images.shape[1:3]
        lines = [
            f"{self.name}: {len(self)} pictures of {width} x {height} pixels, "
            f"{len(self.class_names)} classes"
        ]
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        broad = max(len(name) for name in self.class_names)
        lines += [
            f"  {name:<{broad}}  {count:>5}"
            for name, count in zip(self.class_names, counts, strict=True)
        ]
        if self.source:
            lines.append(f"Source: {self.source}")
        if self.licence:
            lines.append(f"Licence: {self.licence}")
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

        Example:
            >>> figure = load_dataset("photos").show(6)
        """
        from tlkit.plots import image_grid

        n = min(whole(n, "n", 1), len(self))
        if not n:
            raise InputError("There are no pictures to show.", "Load some first.")
        titles = [self.class_names[label] for label in self.labels[:n]]
        return image_grid(self.images[:n], titles=titles, columns=columns)

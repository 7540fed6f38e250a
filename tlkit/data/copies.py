"""Find copies among pictures: the same picture saved again, scaled, mirrored, or filed twice.

Pictures that only look alike are none: the next photograph of a burst, or the same part under the
same camera with another scratch. They differ in their finest grain, and a picture saved again has
no grain of its own. So two pictures are compared in fine and in middling detail: the poorer one of
a pair of copies has nothing that the other lacks.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tlkit.checks import demand

# Of a fingerprint, for the fine detail and as many for the middling one.
NUMBERS = 400
# So many are looked at in full, at most.
NEAREST = 5
# How much of the poorer one's fine and middling detail the other must have. A fingerprint is a
# little unsure, saving as JPEG at quality 30 costs fine detail, a shift of a pixel costs both.
IN_FINGERPRINTS, IN_FULL = (0.65, 0.95), (0.75, 0.98)
# What part of the poorer one's contrast may be its own, in half of all places.
GRAIN = 0.12
# Levels of 255 by which a sixteenth of the picture may differ in red, green or blue.
COLOUR = 5.0
# How far a place may differ, as a part of the contrast there and of some grey levels more.
SPOT, QUIET = 0.6, 12.0


class Copies(NamedTuple):
    """For each picture the index of the one that it is a copy of, and whether it is mirrored.

    Args:
        of: int (N,); among one set of pictures its own index, and among known ones -1, where it is
            no copy.
        mirrored: bool (N,).
    """

    of: np.ndarray
    mirrored: np.ndarray


def fingerprints(images: np.ndarray) -> np.ndarray:
    """What pictures are recognised by: their detail, mixed up so that nobody sees them in it.

    Every number sums up pixels from all over the picture, which keeps how much two pictures have in
    common, but not the pictures (Johnson & Lindenstrauss 1984).

    Args:
        images: uint8 (N, H, W, 3), all of one size, the one at which they are compared.

    Returns:
        float16 (N, 800).

    Example:
        >>> fingerprints(load_dataset("photos", image_size=64).images).shape
        (11, 800)
    """
    return _both_ways(_checked(images))[:, 0]


def find_copies(images: np.ndarray) -> Copies:
    """Which pictures are copies of an earlier one that is none itself.

    Two pictures are copies if they are the same at full size, up to what saving and scaling do to
    them; one of them may be mirrored. It takes a minute for twenty thousand pictures.

    Args:
        images: uint8 (N, H, W, 3).

    Returns:
        The index of the first of them for each; its own where it is no copy.

    Example:
        >>> photos = load_dataset("photos", image_size=64).images
        >>> find_copies(np.concatenate([photos[:3], photos[2:, :, ::-1]])).of[:5]
        array([0, 1, 2, 2, 4])
    """
    prints = _both_ways(_checked(images))
    copies = Copies(np.arange(len(images)), np.zeros(len(images), bool))
    for way, mirror in enumerate((False, True)):
        for row, likely in _likely(prints[:, way], prints[:, 0]):
            firsts = [each for each in likely if each < row and copies.of[each] == each]
            if copies.of[row] == row:
                one = images[row, :, ::-1] if mirror else images[row]
                same = (each for each in firsts[:NEAREST] if _same(one, images[each]))
                copies.of[row] = next(same, row)
                copies.mirrored[row] = mirror and copies.of[row] != row
    return copies


def copies_of_known(images: np.ndarray, known: np.ndarray) -> Copies:
    """Which pictures seem to be copies of known ones, of which there are fingerprints only.

    Small differences within one place, such as a scratch, cannot be seen in a fingerprint.

    Args:
        images: uint8 (N, H, W, 3), of the known pictures' size.
        known: float16 (M, 800) from `fingerprints`.

    Returns:
        The index of the known picture for each; -1 where it is no copy.

    Example:
        >>> photos = load_dataset("photos", image_size=64).images
        >>> copies_of_known(photos[1:3], fingerprints(photos)).of
        array([1, 2])
    """
    fine = isinstance(known, np.ndarray) and known.ndim == 2 and known.shape[1] == 2 * NUMBERS
    what = "What was given as `known` are no fingerprints of pictures."
    demand(fine, what, "Make them: tlkit.data.copies.fingerprints(images).")
    prints = _both_ways(_checked(images))
    copies = Copies(np.full(len(images), -1), np.zeros(len(images), bool))
    for way in (1, 0):
        for row, likely in _likely(prints[:, way], known):
            if len(likely):
                copies.of[row], copies.mirrored[row] = likely[0], way == 1
    return copies


def _checked(images: np.ndarray) -> np.ndarray:
    """Pictures as they are compared; none at all will do."""
    fine = isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim == 4
    demand(
        fine and images.shape[-1] == 3 and 0 not in images.shape[1:],
        "Copies are looked for among pictures of one size, as uint8 (N, H, W, 3).",
        "Pass the `images` of a data set.",
    )
    return images


def _details(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brightness (H, W), and its fine and its middling detail."""
    from scipy.ndimage import gaussian_filter

    grey = image.astype("float32") @ np.array([0.299, 0.587, 0.114], "float32")
    soft = gaussian_filter(grey, 1)
    return grey, grey - soft, soft - gaussian_filter(grey, 2)


def _both_ways(images: np.ndarray) -> np.ndarray:
    """Fingerprints (N, 2, 800) of pictures and of their mirror images."""
    random = np.random.default_rng(0).random((2, *images.shape[1:3]))
    many = max(1, random[0].size // NUMBERS)
    # From `random()`, whose numbers no release of NumPy has changed.
    order = np.argsort(random[0].ravel(), kind="stable")[: NUMBERS * many]
    signs = np.where(random[1] < 0.5, -1, 1).ravel()[order].astype("float32")

    def mixed(detail: np.ndarray) -> np.ndarray:
        sums = np.zeros(NUMBERS, "float32")
        numbers = (detail.ravel()[order] * signs).reshape(-1, many).sum(axis=1) / many**0.5
        sums[: len(numbers)] = numbers
        return sums

    prints = np.empty((len(images), 2, 2 * NUMBERS), "float16")
    for print_, image in zip(prints, images, strict=True):
        _, *details = _details(image)
        print_[0] = np.concatenate([mixed(each) for each in details])
        print_[1] = np.concatenate([mixed(each[:, ::-1]) for each in details])
    return prints


def _shares(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How much of the poorer one's detail the other one has, for each of `one` and each of `other`.

    Copies come to 1 and more, for what saving takes away lies across what it leaves.
    """
    common = one @ other.T / one.shape[1]
    poorer = np.minimum.outer((one**2).mean(axis=1), (other**2).mean(axis=1))
    return (common + 1) / (poorer + 1)


def _likely(prints: np.ndarray, known: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """For each fingerprint the indices of the known ones that it may copy, nearest first."""
    known = known.astype("float32")
    for start in range(0, len(prints), 512):
        some = prints[start : start + 512].astype("float32")
        fine = _shares(some[:, :NUMBERS], known[:, :NUMBERS]) >= IN_FINGERPRINTS[0]
        fits = fine & (_shares(some[:, NUMBERS:], known[:, NUMBERS:]) >= IN_FINGERPRINTS[1])
        for row, one in enumerate(some):
            found = np.flatnonzero(fits[row])
            apart = ((known[found] - one) ** 2).sum(axis=1)
            yield start + row, found[np.argsort(apart, kind="stable")]


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two pictures (H, W, 3) are the same at full size."""
    from scipy.ndimage import gaussian_filter, uniform_filter

    def around(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, 9)

    (grey, *details), (grey_other, *details_other) = _details(one), _details(other)
    for detail, its, least in zip(details, details_other, IN_FULL, strict=True):
        if _shares(detail.reshape(1, -1), its.reshape(1, -1)) < least:
            return False
    height, width = (side // 4 for side in grey.shape)
    apart = (one.astype("float32") - other)[: 4 * height, : 4 * width]
    if np.abs(apart.reshape(4, height, 4, width, 3).mean(axis=(1, 3))).max() > COLOUR:
        return False
    means = around(grey), around(grey_other)
    spreads = around(grey**2) - means[0] ** 2, around(grey_other**2) - means[1] ** 2
    poorer = np.maximum(np.minimum(*spreads), 0)
    own = poorer - (around(grey * grey_other) - means[0] * means[1])
    if np.median(own / (poorer + 4)) > GRAIN:
        return False
    spots = np.abs(gaussian_filter(grey - grey_other, min(2, min(grey.shape) / 64)))
    return bool((spots <= SPOT * (QUIET + np.sqrt(poorer))).all())

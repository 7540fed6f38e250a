"""Find copies among pictures: the same photograph scaled, saved again, or filed twice."""

import numpy as np

SIDE = 16  # pixels of the thumbnails that are compared
NUMBERS = 96  # that a thumbnail is summed up in
# How far copies may be apart, in grey levels per pixel of the thumbnail. Saving at poor quality
# costs up to 6, and a pale picture is allowed less: a tenth of its contrast.
FLOOR, CEILING, SHARE = 2.0, 6.0, 0.1


def fingerprints(images: np.ndarray) -> np.ndarray:
    """What stays of a picture when it is scaled or saved again.

    A thumbnail, projected at random onto fewer numbers, which keeps distances but not the picture
    (Johnson & Lindenstrauss 1984), and its contrast.

    Args:
        images: uint8 (N, H, W, 3).

    Returns:
        float16 (N, 97).
    """
    from PIL import Image

    small = np.empty((len(images), SIDE * SIDE * 3), "float32")
    for row, image in zip(small, images, strict=True):
        row[:] = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.BOX)).ravel()
    random = np.random.default_rng(0).normal(0, NUMBERS**-0.5, (small.shape[1], NUMBERS))
    spread = small.std(axis=1, keepdims=True)
    projected = small @ random.astype("float32") / small.shape[1] ** 0.5
    return np.hstack([projected, spread]).astype("float16")


def _pairs(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the two that fit each other."""
    spread = ours[:, -1:].astype("float32")
    limit = np.clip(SHARE * spread, FLOOR, CEILING)
    one, other = (each[:, :-1].astype("float32") for each in (ours, theirs))
    squares = (other**2).sum(axis=1)
    found = [(np.empty(0, int), np.empty(0, int))]
    for start in range(0, len(ours), 512):
        part = slice(start, start + 512)
        apart = (one[part] ** 2).sum(axis=1, keepdims=True) + squares - 2 * one[part] @ other.T
        near, far = np.nonzero(apart <= limit[part] ** 2)
        found.append((near + start, far))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))


def groups(prints: np.ndarray) -> np.ndarray:
    """The same number for all copies of a picture: the index of the first of them.

    Args:
        prints: From `fingerprints`.

    Returns:
        int (N,).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = _pairs(prints, prints)
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(len(prints), len(prints)))
    _, members = connected_components(graph, directed=False)
    _, first = np.unique(members, return_index=True)
    return first[members]


def copies_of(prints: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which pictures are copies of known ones.

    Args:
        prints: From `fingerprints`, of the pictures in question.
        known: The same, of those they may copy.

    Returns:
        The indices of the copies, in order.
    """
    return np.unique(_pairs(prints, known)[0])

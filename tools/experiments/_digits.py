"""Digits that are not centred: on centred ones the raw pixels are hard to beat."""

import numpy as np


def shifted(digits: np.ndarray, seed: int) -> np.ndarray:
    """Grey digits, each at a random place in 32 by 32 pixels.

    Args:
        digits: (N, 28, 28, 3) pictures of MNIST, whose digit lies within the middle 20 by 20.
        seed: Of the places.

    Returns:
        (N, 32, 32, 1) pictures with the whole digit in them.
    """
    rng = np.random.default_rng(seed)
    framed = np.pad(digits[..., :1], ((0, 0), (8, 8), (8, 8), (0, 0)))
    starts = rng.integers(0, 13, (len(digits), 2))
    return np.stack([f[y : y + 32, x : x + 32] for f, (y, x) in zip(framed, starts, strict=True)])

"""Composed people in blocks of a hundred, drawn by two processes and kept on disk."""

import os

import numpy as np

from tlkit.data import people
from tlkit.progress import progress
from tlkit.store import keep, recall, recipe_key

# People in one file of the cache.
BLOCK = 100
DRAWN_WITH = ("python_avatars", "resvg_py", "pillow")

Block = tuple[np.ndarray, np.ndarray]


def draw_people(n: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first `n` people of a seed: images, labels and masks, as `compose_people` has them."""
    from joblib import Parallel, delayed

    labels = np.array([people.label_of(index, seed) for index in range(n)], np.int64)
    key = recipe_key("data/people.py", packages=DRAWN_WITH)
    files = {
        start: f"people-{key}-{size}px-seed{seed}-{start:06d}.npz" for start in range(0, n, BLOCK)
    }
    blocks = {start: _kept(file, size) for start, file in files.items()}
    missing = {start: len(block[0]) for start, block in blocks.items()}
    missing = {
        start: range(start + have, min(start + BLOCK, n))
        for start, have in missing.items()
        if start + have < min(start + BLOCK, n)
    }
    # The renderer holds Python's lock, so threads would not help.
    jobs = min(2, len(missing), os.cpu_count() or 1) or 1
    drawn = Parallel(jobs, return_as="generator")(
        delayed(draw_some)(rows, size, seed) for rows in missing.values()
    )
    told = progress(drawn, len(missing), f"Drawing {n} people")
    for start, more in zip(missing, told, strict=True):
        blocks[start] = tuple(map(np.concatenate, zip(blocks[start], more, strict=True)))
        images, masks = blocks[start]
        keep("datasets", files[start], images=images, masks=np.packbits(masks, axis=-1))
    images, masks = (np.concatenate(each)[:n] for each in zip(*blocks.values(), strict=True))
    return images, labels, masks


def draw_some(rows: range, size: int, seed: int) -> Block:
    """Pictures and masks of some people."""
    pictures, _, masks = zip(*(people.draw_person(row, size, seed) for row in rows), strict=True)
    return np.stack(pictures), np.stack(masks)


def _kept(file: str, size: int) -> Block:
    """What is kept of a block, its masks unpacked; an empty one if it is not as it should be."""
    block = recall("datasets", file) or {}
    images, packed = block.get("images", np.empty(0)), block.get("masks", np.empty(0))
    sound = images.dtype == packed.dtype == np.uint8 and images.shape[1:] == (size, size, 3)
    if sound and packed.shape == (len(images), size, -(-size // 8)):
        return images, np.unpackbits(packed, axis=-1, count=size).astype(bool)
    return np.empty((0, size, size, 3), np.uint8), np.empty((0, size, size), bool)

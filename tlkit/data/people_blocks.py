"""Composed people in blocks of a hundred, kept on disk; two processes draw when there are many.

The renderer holds Python's lock, so threads would not help. The second process only fills the cache
sooner: whatever it leaves undone, the first draws itself.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tlkit.data import people as renderer
from tlkit.paths import cache_dir
from tlkit.progress import progress
from tlkit.store import keep, recall, recipe_key

BLOCK = 100  # people in one file of the cache


def draw_people(n: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first `n` people of a seed: images, labels and masks, as `compose_people` has them."""
    images = np.empty((n, size, size, 3), np.uint8)
    masks = np.empty((n, size, size), bool)
    labels = np.array([renderer.label_of(index, seed) for index in range(n)], np.int64)
    blocks = [(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]

    def fill(start: int, stop: int, draw: bool) -> bool:
        drawn, areas = _block(start, stop, size, seed, draw)
        images[start : start + len(drawn)], masks[start : start + len(drawn)] = drawn, areas
        return len(drawn) == stop - start

    missing = [block for block in blocks if not fill(*block, draw=False)]
    with _second_process(missing[1::2], size, seed):
        for block in progress(missing[::2], len(missing[::2]), f"Drawing {n} people"):
            fill(*block, draw=True)
    for block in missing[1::2]:
        fill(*block, draw=True)
    return images, labels, masks


def _block(
    start: int, stop: int, size: int, seed: int, draw: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """People `start` to `stop` as far as they are kept on disk; with `draw`, all of them."""
    key = recipe_key("data/people.py", packages=("python_avatars", "resvg_py"))
    file_name = f"people-{key}-{size}px-seed{seed}-{start:06d}.npz"
    kept, areas = _sound(recall("datasets", file_name), size)
    have = min(len(kept), stop - start)
    if have == stop - start or not draw:
        return kept[:have], areas[:have]
    people = [renderer.draw_person(index, size, seed) for index in range(start + have, stop)]
    images = np.concatenate([kept, [picture for picture, _, _ in people]])
    masks = np.concatenate([areas, [mask for _, _, mask in people]])
    keep("datasets", file_name, images=images, masks=np.packbits(masks, axis=-1))
    return images, masks


def _sound(block: dict[str, np.ndarray] | None, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A block of the cache with its masks unpacked; an empty one when it is not as it should be."""
    if block is not None and {"images", "masks"} <= set(block):
        images, packed = block["images"], block["masks"]
        if (
            images.dtype == packed.dtype == np.uint8
            and images.shape == (len(images), size, size, 3)
            and packed.shape == (len(images), size, -(-size // 8))
        ):
            return images, np.unpackbits(packed, axis=-1, count=size).astype(bool)
    return np.empty((0, size, size, 3), np.uint8), np.empty((0, size, size), bool)


@contextlib.contextmanager
def _second_process(blocks: list[tuple[int, int]], size: int, seed: int) -> Iterator[None]:
    """Let another Python draw some blocks into the cache meanwhile, if there is a core for it."""
    child = None
    if blocks and (os.cpu_count() or 1) > 1:
        environment = {
            **os.environ,
            "TLKIT_CACHE": str(cache_dir().resolve()),
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
            ),
        }
        spans = [f"{start}:{stop}" for start, stop in blocks]
        command = [sys.executable, "-m", __name__, str(size), str(seed), *spans]
        with contextlib.suppress(OSError):
            child = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    try:
        yield
        if child:
            child.wait()
    finally:
        if child:
            child.kill()
            child.wait()


if __name__ == "__main__":
    size, seed, *spans = sys.argv[1:]
    for span in spans:
        start, stop = map(int, span.split(":"))
        _block(start, stop, int(size), int(seed))
        if len(_block(start, stop, int(size), int(seed), draw=False)[0]) < stop - start:
            break  # what cannot be kept is of no use to the other process

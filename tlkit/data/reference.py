"""Telling a changed drawing from a pixel that another processor rounds differently."""

import hashlib

import numpy as np

from tlkit.errors import DamagedFileError

# A thumbnail's height and width.
SIDE = 8
# Levels of 255, at every place of every thumbnail.
TOLERANCE = 3


def fingerprint_of(images: np.ndarray) -> dict[str, str]:
    """The exact checksum of pictures (N, 64, 64, 3), and their thumbnails as hexadecimal text."""
    count, size = images.shape[:2]
    step = size // SIDE
    blocks = images.reshape(count, SIDE, step, SIDE, step, 3).astype(np.float64)
    thumbnails = np.floor(blocks.mean(axis=(2, 4)) + 0.5).astype(np.uint8)
    return {
        "sha256": hashlib.sha256(images.tobytes()).hexdigest(),
        "thumbnails": thumbnails.tobytes().hex(),
    }


def compare(name: str, now: dict[str, str], card: dict) -> str:
    """`"identical"`, `"alike"`, or a DamagedFileError when the pictures have changed."""
    then = card["fingerprint"]
    if now["sha256"] == then["sha256"]:
        return "identical"
    new, old = (
        np.frombuffer(bytes.fromhex(each["thumbnails"]), np.uint8).astype(int)
        for each in (now, then)
    )
    if new.shape == old.shape and np.abs(new - old).max() <= TOLERANCE:
        return "alike"
    made_with = ", ".join(f"{package} {version}" for package, version in card["made_with"].items())
    raise DamagedFileError(
        f"The pictures of {name!r} are not those that its card describes.",
        f"Install the versions they were made with ({made_with or 'see requirements.txt'}).",
    )

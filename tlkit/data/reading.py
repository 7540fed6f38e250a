"""Read one picture file, whatever it holds, as RGB from 0 to 255.

There is one such reading: `load_folder`, `predict` and the script beside an exported classifier,
which holds this very text, see the same pixels. So it needs Pillow and NumPy, and nothing else.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, features

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF")
# Decoded: 200 MB at four bytes each. A JPEG is decoded at a fraction of its size.
MOST_PIXELS, MOST_JPEG_PIXELS = 50_000_000, 120_000_000
# What may be white where a file does not say so: of 8, 10, 12, 14 and 16 bits; of floats.
WHITES, FLOAT_WHITES = (255, 1023, 4095, 16383, 65535), (1, 255)
REASONS = {
    FileNotFoundError: "there is no such file",
    IsADirectoryError: "a folder, not a picture",
    PermissionError: "not allowed to read it",
    Image.UnidentifiedImageError: "not a picture that can be read",
    Image.DecompressionBombError: "too large: more pixels than any photograph has",
    MemoryError: "too large for this computer's memory",
}


class Unusable(ValueError):
    """A file that is no usable picture; says why in plain words."""


class Picture(NamedTuple):
    """A picture as it is used, and what was assumed when it was read.

    Args:
        pixels: uint8 (size, size, 3), RGB.
        white: The value that was taken for white in a 16-bit picture; None in any other.
        remarks: What else was assumed.
    """

    pixels: np.ndarray
    white: int | None
    remarks: tuple[str, ...]


def read_picture(path, size: int, white: int | None = None) -> np.ndarray:
    """The pixels of `read`."""
    return read(path, size, white).pixels


def read(path, size: int, white: int | None = None) -> Picture:
    """One picture file, turned as its camera noted, on white, cut to its middle square and scaled.

    Args:
        path: The file, as text or `Path`.
        size: Height and width to scale to, in pixels.
        white: The value that is white in 16-bit pictures. Where none is given, or a picture has
            higher ones: the highest value of as many bits as the picture's values need.

    Raises:
        Unusable: It cannot be read; says why in plain words.
    """
    try:
        name_impostors(path)
        return decode(path, size, white)
    except Unusable:
        raise
    # Decoders raise anything: OSError, SyntaxError, struct.error, zlib.error ...
    except Exception as error:
        known = (reason for kind, reason in REASONS.items() if isinstance(error, kind))
        raise Unusable(next(known, "damaged or cut short")) from None


def name_impostors(path) -> None:
    """Name what often lies among pictures, or cannot be read here, by its first bytes."""
    with open(path, "rb") as file:
        start = file.read(1024)
    if not start:
        raise Unusable("an empty file")
    if start.startswith(b"version https://git-lfs"):
        raise Unusable("a Git LFS pointer, not the picture itself: fetch it with `git lfs pull`")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        raise Unusable("an HTML page, not a picture: the download went wrong")
    if start[4:8] != b"ftyp":
        return
    if start[8:12] in (b"avif", b"avis"):
        if not features.check("avif"):
            raise Unusable("an AVIF picture: run `pip install -U pillow`, or save it as JPEG")
    elif start[8:12] in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"):
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            what = "a HEIC picture, as telephones write: run `pip install pillow-heif`, or save it "
            raise Unusable(f"{what}as JPEG") from None
        register_heif_opener()


def decode(path, size: int, white: int | None) -> Picture:
    """See `read`."""
    Image.init()
    remarks = []
    with Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN]) as image:
        width, height = image.size
        jpeg = image.format in ("JPEG", "MPO")
        if width * height > (MOST_JPEG_PIXELS if jpeg else MOST_PIXELS):
            raise Unusable(f"too large: {width} x {height} pixels")
        if image.format == "TIFF" and image.tag_v2.get(254, 0) & 1:
            raise Unusable("a raw photograph, of which only a preview can be read: save it as JPEG")
        if not jpeg and getattr(image, "is_animated", False):
            remarks.append("Several pages or frames, of which the first was read")
        # Decoded at a half, a quarter or an eighth while that leaves twice what we need.
        if jpeg:
            shrink = max(1.0, min(width, height) / (2 * size))
            image.draft(None, (int(width / shrink), int(height / shrink)))
        image.load()
        try:
            ImageOps.exif_transpose(image, in_place=True)
        except Exception:
            remarks.append("Unreadable notes on how to turn it, so left as it is")
        if image.mode == "LAB":
            raise Unusable("in LAB colours: save it as RGB")
        if image.mode[0] in "IF":
            values, low, high, said = to_grey(image, white)
            white = high if image.mode != "F" and not said else None
            grey = (values - low) * (255 / (high - low or 1)) + 0.5
            picture = Image.fromarray(grey.astype("uint8")).convert("RGB")
            remarks += said
        else:
            white = None
            picture = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return Picture(middle_square(picture, size), white, tuple(remarks))


def to_grey(image, white: int | None):
    """The values of grey of more than 8 bits or of floats, its black and its white, and remarks."""
    values = np.nan_to_num(np.asarray(image).astype("float32"), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    whites = FLOAT_WHITES if image.mode == "F" else WHITES
    if low < 0 or high > whites[-1]:
        remark = "No known white, so stretched from the darkest value to the brightest"
        return values, low, high, [remark]
    if white is None or image.mode == "F" or high > white:
        white = next(top for top in whites if high <= top)
    return values, 0, white, []


def middle_square(picture, size: int) -> np.ndarray:
    """The largest square in the middle, scaled: covers the picture, stretches nothing."""
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    picture = picture.resize(
        (size, size),
        Image.Resampling.LANCZOS,
        box=(left, top, left + side, top + side),
        reducing_gap=3.0,
    )
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB"))

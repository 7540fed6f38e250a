"""Every row of `docs/files.md` is true: made as a file, and read."""

import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

import tlkit
from tlkit.data import load_folder
from tlkit.errors import InputError
from tlkit.workshop import preparation

PAGE = Path(__file__).parents[2] / "docs" / "files.md"
OUTCOMES = ("read", "noted", "left out", "passed over", "refused")
GREY = np.linspace(0, 1, 64) * np.ones((64, 1))


def rows(*sections):
    """The first two cells of each row in the tables of some sections."""
    text = PAGE.read_text(encoding="utf-8")
    parts = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    lines = [line for name in sections for line in parts[name].splitlines()]
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return {first: second.strip() for first, second in cells if first != "What you have"}


def picture(size=(60, 40), mode="RGB"):
    random = np.random.default_rng(0).integers(40, 255, (*size[::-1], 3)).astype("uint8")
    return Image.fromarray(random).convert(mode)


def save(name="cat/x.png", image=None, **options):
    """A way to put a picture into the folder."""
    image = image or picture()

    def put(root):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(root / name, **options)

    return put


def grey(high, kind="uint16", low=0, name="cat/x.tif"):
    return save(name, Image.fromarray((low + GREY * (high - low)).astype(kind)))


def write(content, name="cat/x.jpg"):
    def put(root):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)

    return put


def several(*ways):
    def put(root):
        for way in ways:
            way(root)

    return put


def only(*names):
    """Nothing but pictures of these names."""

    def put(root):
        for name in ("cat", "dog"):
            (root / name / "1.png").unlink()
            (root / name).rmdir()
        several(*map(save, names))(root)

    return put


def link(root):
    os.symlink(root / "cat" / "1.png", root / "cat" / "x.png")


def another_code_page(root):
    folder = os.path.join(os.fsencode(root), "кот".encode("cp1251"))
    os.mkdir(folder)
    picture().save(os.path.join(os.fsdecode(folder), "1.png"))


def raw_photograph(root):
    picture().save(root / "cat" / "x.dng", "TIFF", tiffinfo={254: 1})


def heic(root):
    try:
        import pillow_heif
    except ImportError:
        return write(b"\0\0\0\x18ftypheic" + bytes(50))(root)
    pillow_heif.from_pillow(picture((64, 64))).save(root / "cat" / "x.heic")


def sixteen_bit_colours(root):
    from tests.package.test_folder import png_chunk, png_head, zlib

    pixels = zlib.compress((b"\0" + b"\xc8\xff" * 12) * 4)
    chunks = png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    (root / "cat" / "x.png").write_bytes(png_head(4, 4, 16, 2) + chunks)


PAGES = {"save_all": True, "append_images": [picture((60, 40), "L")]}
TURNED = Image.Exif()
TURNED[0x0112] = 6
READ_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
CASES = {
    "JPEG, PNG, GIF, BMP, WebP, TIFF": several(
        *(save(f"cat/{kind}.dat", format=kind) for kind in READ_FORMATS)
    ),
    "AVIF": save("cat/x.avif") if features.check("avif") else None,
    "HEIC, as many telephones write it": heic,
    "Several pages or frames in a GIF, WebP or TIFF": several(
        save("cat/x.gif", **PAGES), save("cat/x.webp", **PAGES), save("cat/x.tif", **PAGES)
    ),
    "A raw photograph (DNG, NEF, ARW …)": raw_photograph,
    "Something else: text, SVG, PDF, film": write(b"just a few words"),
    "Empty, damaged or cut short": several(
        write(b""), write(b"\xff\xd8\xff\xe0 cut", "cat/y.jpg"), write(b"GIF89a", "cat/z.gif")
    ),
    "A web page or a Git LFS pointer in place of the picture": several(
        write(b"<!DOCTYPE html>"), write(b"version https://git-lfs.github.com", "cat/y.jpg")
    ),
    "More than 50 million pixels, as a JPEG 120 million": save(image=Image.new("1", (8000, 7000))),
    "Grey, black and white, a palette": several(
        *(save(f"cat/{mode}.png", picture(mode=mode)) for mode in ("L", "1", "P"))
    ),
    "Transparent parts": save(image=picture(mode="RGBA")),
    "CMYK, or a colour profile such as Adobe RGB or Display P3": several(
        save("cat/x.jpg", picture(mode="CMYK")), save(icc_profile=b"some profile")
    ),
    "LAB colours": save("cat/x.tif", Image.new("LAB", (40, 40))),
    "Grey of 16 bits that uses all of them": grey(65535),
    "Grey of 16 bits that uses 8, 10, 12 or 14, as scientific cameras write it": grey(4000),
    "Colours of 16 bits": sixteen_bit_colours,
    "Floats from 0 to 1, or to 255": several(
        grey(1, "float32"), grey(255, "float32", name="cat/y.tif")
    ),
    "Other numbers: negative ones, or 32 bits": several(
        grey(9, "float32", -9), grey(10**6, "int32", name="cat/y.tif")
    ),
    "A picture that is nearly black": save(image=Image.new("RGB", (40, 40), (9, 9, 20))),
    "A photograph that the camera held sideways": save("cat/x.jpg", exif=TURNED),
    "Not square": save(image=picture((200, 50))),
    "Larger or smaller than asked for": several(
        save(image=picture((7, 7))), save("cat/y.png", picture((400, 400)))
    ),
    "Folders within a class folder": save("cat/2026/may/x.png"),
    "The same sub-folders in every class folder, such as `day` and `night`": several(
        *(save(f"{name}/{time}/x.png") for name in ("cat", "dog") for time in ("day", "night"))
    ),
    "`train` and `val` (or `test`, `validation` …) in place of classes": only(
        "train/cat/1.png", "train/dog/1.png", "val/cat/1.png", "val/dog/1.png"
    ),
    "One folder around the class folders": only("pets/cat/1.png", "pets/dog/1.png"),
    "A class folder without a picture that can be used": write(b"", "bird/1.png"),
    "Pictures beside the class folders": save("x.png"),
    "Hidden files, `Thumbs.db`, `desktop.ini`, `__MACOSX`": several(
        write(b"x", "cat/.hidden"), write(b"x", "cat/Thumbs.db"), write(b"x", "__MACOSX/x.png")
    ),
    "Links to files and folders": link if os.name != "nt" else None,
    "Any letters, spaces, any ending": save("два слова 犬/x y.dat", format="PNG"),
    "Classes that look the same in print: `cat` and `cat` with a space, two ways to store `é`": (
        save("cat /1.png") if os.name != "nt" else None
    ),
    "Classes that differ in capitals only: `Cat` and `cat`": (
        save("Cat/1.png") if sys.platform == "linux" else None
    ),
    "Names that are not UTF-8, from an archive packed on another system": (
        another_code_page if sys.platform == "linux" else None
    ),
}
READ = rows("Formats", "Colours and depth", "Shape", "Folders", "Names")


def test_every_row_about_reading_has_its_case():
    assert set(READ) == set(CASES)


@pytest.mark.parametrize("row", READ)
def test_what_the_page_says_of_a_file_is_what_happens(row, tmp_path):
    if not CASES[row]:
        pytest.skip("cannot be made on this system")
    root = tmp_path / "pets"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        picture().save(root / name / "1.png")
    CASES[row](root)
    files = {path for path in root.rglob("*") if path.is_file()}
    promised = set(re.findall(r"\*\*(.+?)\*\*", READ[row]))
    try:
        data = load_folder(root, image_size=32)
    except InputError:
        outcome = "refused"
    else:
        outcome = "noted" if data.notes else "left out" if data.skipped else "read"
        if outcome == "read" and len(data) < len(files):
            outcome = "passed over"
        assert len(data) == len(files) - len(data.skipped) or outcome == "passed over"
    assert promised <= set(OUTCOMES) and outcome in promised


PHOTOS = tlkit.load_dataset("photos", image_size=96).images
TURNED_ROUND = PHOTOS[:, :, ::-1]
A_PIXEL_FURTHER = np.roll(PHOTOS, 1, axis=2)
CLASSES = [0] * 6 + [1] * 5
# For each row: pictures and labels beside the eleven photographs, how many stay, what is said.
TRAINED_ON = {
    "The same picture again: saved with another quality, scaled, or mirrored": (
        [np.asarray(Image.fromarray(PHOTOS[0]).resize((90, 90)).resize((96, 96))), TURNED_ROUND[1]],
        [0, 0],
        11,
        "2 pictures are copies of another picture in the same class (1 of them mirrored)",
    ),
    "The same picture in two classes": ([PHOTOS[0]], [1], 10, "more than one class"),
    "A picture in one class, its mirror image in another, as arrows to the left and to the right": (
        [TURNED_ROUND[0]],
        [1],
        12,
        "They stay: left and right may tell your classes apart",
    ),
    "Pictures that only look alike: a burst, or one part under one camera": (
        [*A_PIXEL_FURTHER],
        CLASSES,
        22,
        "",
    ),
    "One class with three times as many pictures as another, or more": (
        [*A_PIXEL_FURTHER, *(255 - PHOTOS)],
        [0] * 22,
        33,
        "They were evened out",
    ),
    "A class with fewer than ten pictures": ([], [], 11, "take this for a first try"),
    "A class with fewer than two pictures": ([PHOTOS[0] // 2], [2], "'c' has one picture", ""),
}


def test_every_row_about_copies_has_its_case():
    assert set(rows("Copies and uneven classes")) == set(TRAINED_ON)


@pytest.mark.parametrize("row", TRAINED_ON)
def test_what_the_page_says_of_copies_and_uneven_classes_is_what_happens(row):
    more, labels, stay, said = TRAINED_ON[row]
    images, labels = np.stack([*PHOTOS, *more]), [*CLASSES, *labels]
    data = tlkit.ImageDataset(images, labels, tuple("abc")[: max(labels) + 1])
    if isinstance(stay, str):
        with pytest.raises(InputError, match=stay):
            preparation.suited(data)
        return
    preparation.suited(data)
    rest, notes = preparation.without_copies(data)
    assert len(rest) == stay
    notes += preparation.notes_on(rest)
    assert said in " ".join(notes) and not ("copies" in " ".join(notes) and not said)

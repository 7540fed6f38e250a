"""A folder of people's own pictures, with all that may lie in it."""

import io
import os
import re
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from tlkit.data import folders, load_folder, read_pictures, reading
from tlkit.errors import InputError, MissingFileError, TlkitError

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 30), (30, 30, 200), (255, 255, 255)


def plain(colour=RED, size=(40, 30), mode="RGB"):
    return Image.new("RGB", size, colour).convert(mode)


def corners(width=60, height=40):
    """A picture that tells which side is up: red, green / blue, white quarters."""
    picture = np.zeros((height, width, 3), np.uint8)
    top, left = np.arange(height)[:, None] < height / 2, np.arange(width)[None] < width / 2
    picture[top & left], picture[top & ~left] = RED, GREEN
    picture[~top & left], picture[~top & ~left] = BLUE, WHITE
    return Image.fromarray(picture)


def png_bytes(picture=None):
    file = io.BytesIO()
    (picture or plain()).save(file, "PNG")
    return file.getvalue()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_head(width, height, depth, colour):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head)


@pytest.fixture
def root(tmp_path):
    """Two good classes, to which a test adds what it is about."""
    for name, colour in (("cat", RED), ("dog", BLUE)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        plain(colour).save(tmp_path / "pets" / name / "1.png")
    return tmp_path / "pets"


def read(root, name="cat/x"):
    """The picture `name` among those read, as int array; it must not have been skipped."""
    data = load_folder(root, image_size=16)
    assert name not in dict(data.skipped), dict(data.skipped)
    # `cat/x...` comes after `cat/1.png`.
    return data.images[1].astype(int)


def near(picture, colour, tolerance=6):
    return np.abs(picture - np.array(colour)).max() <= tolerance


# --- kinds of pictures ---


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_formats_are_known_by_content_not_by_name(root, kind):
    plain(GREEN).save(root / "cat" / "x.dat", kind)
    assert near(read(root, "cat/x.dat"), GREEN, 8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_every_mode_becomes_rgb(root, mode):
    kind = {"YCbCr": "TIFF", "CMYK": "TIFF"}.get(mode, "PNG")
    if mode == "I;16":
        Image.fromarray(np.full((20, 20), 40000, np.uint16)).save(root / "cat" / "x.png")
        expected = (40000 / 257,) * 3
    else:
        white = plain(WHITE, mode="L" if mode == "1" else "RGB").convert(mode)
        white.save(root / "cat" / "x.png", kind)
        expected = WHITE
        try:
            Image.open(root / "cat" / "x.png").load()
        except OSError:
            # Pillow before 13 cannot read the YCbCr that it wrote.
            pytest.skip("this Pillow does not read it")
    assert near(read(root), expected)


def test_sixteen_bit_grey_is_scaled_not_cut(root):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)
    for name in ("x.png", "x.tif"):
        Image.fromarray(np.tile(ramp, (64, 1))).save(root / "cat" / name)
        picture = read(root, f"cat/{name}")[8, :, 0]
        assert picture[0] < 12 and picture[-1] > 243 and (np.diff(picture) > 0).all()
        (root / "cat" / name).unlink()


def test_big_endian_tiff_and_float_tiff(root):
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    Image.fromarray(ramp).save(root / "cat" / "x.tif")
    picture = read(root)[8, :, 0]
    assert picture[0] < 12 and picture[-1] > 243
    nan = ramp.copy()
    nan[0] = np.nan
    Image.fromarray(nan * 1000).save(root / "cat" / "x.tif")
    assert read(root)[8, -1, 0] > 243


def test_sixteen_bit_colour_png(root):
    """Pillow cannot write one, so it is put together here: one red pixel, 16 bits a channel."""

    row = b"\0" + struct.pack(">HHH", 0xC8FF, 0x1E00, 0x1E80) * 4
    pixels = png_chunk(b"IDAT", zlib.compress(row * 4)) + png_chunk(b"IEND", b"")
    (root / "cat" / "x.png").write_bytes(png_head(4, 4, 16, 2) + pixels)
    assert near(read(root), RED)


def test_transparent_parts_are_white(root):
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    half = Image.new("RGBA", (20, 20), (255, 0, 0, 128))
    palette = plain(RED).quantize(2)
    palette.info["transparency"] = palette.getpixel((0, 0))
    keyed = plain(RED)
    for picture, colour, extra in (
        (clear, WHITE, {}),
        (half, (255, 127, 127), {}),
        (palette, WHITE, {"transparency": palette.getpixel((0, 0))}),
        (keyed, WHITE, {"transparency": RED}),
        (clear.convert("LA"), WHITE, {}),
    ):
        picture.save(root / "cat" / "x.png", **extra)
        assert near(read(root), colour)


def test_no_dark_seam_where_clear_meets_colour(root):
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((*RED, 255), (0, 0, 32, 64))
    picture.save(root / "cat" / "x.png")
    # Red stays red, white stays white, nothing blackish.
    assert read(root)[:, :, 0].min() > 180


def test_the_first_frame_of_a_moving_picture(root):
    frames = [plain(GREEN), plain(BLUE)]
    for name in ("x.gif", "x.webp", "x.tif"):
        frames[0].save(root / "cat" / name, save_all=True, append_images=frames[1:])
        assert near(read(root), GREEN, 8)
        (root / "cat" / name).unlink()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_honoured(root, orientation, kind):
    upright = corners()
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # undoes the turn
    stored = upright if back is None else upright.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind == "jpg" else {"lossless": True} if kind == "webp" else {}
    stored.save(root / "cat" / f"x.{kind}", exif=exif, **options)
    picture = read(root)
    for row, column, colour in ((2, 2, RED), (2, 13, GREEN), (13, 2, BLUE), (13, 13, WHITE)):
        assert near(picture[row, column], colour, 30), (row, column)


def test_covers_the_square_and_stretches_nothing(root):
    """A wide picture keeps its middle: a circle stays a circle."""
    y, x = np.mgrid[:100, :300]
    circle = ((y - 50) ** 2 + (x - 150) ** 2 < 40**2)[..., None] * np.uint8(255)
    Image.fromarray(circle.repeat(3, axis=2)).save(root / "cat" / "x.png")
    data = load_folder(root, image_size=50)
    bright = data.images[1][..., 0] > 127
    assert abs(bright.any(axis=0).sum() - bright.any(axis=1).sum()) <= 1
    assert abs(bright.any(axis=0).sum() - 40) <= 1


def test_large_jpegs_are_decoded_small_and_still_right(root):
    corners(3000, 2000).save(root / "cat" / "x.jpg", quality=92)
    picture = read(root)
    for row, column, colour in ((2, 2, RED), (2, 13, GREEN), (13, 2, BLUE), (13, 13, WHITE)):
        assert near(picture[row, column], colour, 12)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 7)])
def test_tiny_and_thin_pictures(root, size):
    plain(GREEN, size).save(root / "cat" / "x.png")
    assert near(read(root), GREEN)


# --- what is not a picture ---


def broken_files():
    whole = png_bytes(corners(300, 300))
    jpeg = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8)
    Image.fromarray(noise).save(jpeg, "JPEG")
    bomb = png_head(60_000, 60_000, 8, 2) + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    large = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(large, "PNG")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    return {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"just a few words", "not a picture"),
        "noise.png": (bytes(range(256)) * 4, "not a picture"),
        "pointer.jpg": (pointer, "Git LFS"),
        "page.jpg": (b"\n<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        "page2.jpg": (b"\xef\xbb\xbf<HTML>no</HTML>", "HTML"),
        "short.png": (whole[: len(whole) // 2], "damaged"),
        "short.jpg": (jpeg.getvalue()[:4000], "damaged"),
        "head.jpg": (jpeg.getvalue()[:20], ""),
        "flipped.png": (whole[:60] + bytes(20) + whole[80:], "damaged"),
        "bomb.png": (bomb, "too large"),
        "large.png": (large.getvalue(), "too large"),
        "phone.jpg": (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC"),
        "table.csv": (b"a,b\n1,2\n", "not a picture"),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a picture"),
        "paper.pdf": (b"%PDF-1.7 ...", "not a picture"),
    }


def test_bad_files_are_left_out_with_a_reason(root):
    files = broken_files()
    for name, (content, _) in files.items():
        (root / "cat" / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing red in a notebook either
        data = load_folder(root, image_size=16)
    assert len(data) == 2
    skipped = dict(data.skipped)
    assert set(skipped) == {f"cat/{name}" for name in files}
    for name, (_, word) in files.items():
        assert word in skipped[f"cat/{name}"], (name, skipped[f"cat/{name}"])
    assert "Left out: 16" in data.describe()
    for name, (content, _) in files.items():
        assert (root / "cat" / name).read_bytes() == content  # nobody's file is touched


def test_a_bomb_is_refused_even_when_pillow_has_no_limit(root, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    (root / "cat" / "bomb.png").write_bytes(broken_files()["bomb.png"][0])
    assert "too large" in dict(load_folder(root, image_size=16).skipped)["cat/bomb.png"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a"]))
def test_no_bytes_whatever_bring_it_down(tmp_path, content, start):
    path = tmp_path / "any.jpg"
    path.write_bytes(start + content)
    try:
        assert reading.read_picture(path, 16).shape == (16, 16, 3)
    except reading.Unusable as reason:
        assert str(reason)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kind=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]), draw=st.data())
def test_no_damage_to_a_picture_brings_it_down(tmp_path, kind, draw):
    file = io.BytesIO()
    corners().save(file, kind)
    content = bytearray(file.getvalue())
    for _ in range(draw.draw(st.integers(1, 4))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    path = tmp_path / "any"
    path.write_bytes(content[: draw.draw(st.integers(0, len(content)))])
    try:
        assert reading.read_picture(path, 16).shape == (16, 16, 3)
    except reading.Unusable as reason:
        assert str(reason)


# --- names, order, nesting, links ---


def test_classes_and_files_come_in_natural_order(tmp_path):
    for name in ("class 10", "class 2", "Class 1"):
        (tmp_path / name).mkdir()
        for number in (10, 9, 100):
            plain((number, 0, 0)).save(tmp_path / name / f"{number}.png")
    data = load_folder(tmp_path, image_size=16)
    assert data.class_names == ("Class 1", "class 2", "class 10")
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert data.images[:3, 0, 0, 0].tolist() == [9, 10, 100]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=8).filter(lambda t: "\0" not in t), max_size=12))
def test_the_order_is_total_for_any_names(names):
    usable = [name for name in names if name.isprintable()]
    once = [folders.readable(name) for name in sorted(usable, key=folders.natural)]
    turned = sorted(reversed(usable), key=folders.natural)
    assert [folders.readable(name) for name in turned] == once


def test_names_in_any_script_with_spaces(tmp_path):
    names = ("Äpfel & Birnen", "кошки", "犬")
    for name in (*names, "two words"):
        (tmp_path / name).mkdir()
        plain().save(tmp_path / name / f"{name} 1.png")
    data = load_folder(str(tmp_path), image_size=16)
    assert set(data.class_names) == {"Äpfel & Birnen", "кошки", "犬", "two words"}
    assert not data.skipped


def test_nested_folders_belong_to_their_class(root):
    (root / "cat" / "2024" / "may").mkdir(parents=True)
    plain(GREEN).save(root / "cat" / "2024" / "may" / "x.png")
    (root / "cat" / "2024" / "bad.png").write_bytes(b"")
    data = load_folder(root, image_size=16)
    assert data.labels.tolist() == [0, 0, 1] and data.class_names == ("cat", "dog")
    assert data.skipped == (("cat/2024/bad.png", "an empty file"),)


def test_hidden_things_are_passed_over_without_a_word(root):
    for name in (".DS_Store", "._1.png", "Thumbs.db", "desktop.ini"):
        (root / "cat" / name).write_bytes(b"x")
        (root / name).write_bytes(b"x")
    for name in (".git", "__MACOSX", ".ipynb_checkpoints"):
        (root / name).mkdir()
        plain().save(root / name / "x.png")
    data = load_folder(root, image_size=16)
    assert data.class_names == ("cat", "dog") and len(data) == 2 and not data.skipped


def test_pictures_beside_the_class_folders_are_listed(root):
    plain().save(root / "loose.png")
    assert load_folder(root, image_size=16).skipped == (("loose.png", "not in a class folder"),)


def link(at, to):
    try:
        os.symlink(to, at, target_is_directory=os.path.isdir(to))
    except (OSError, NotImplementedError):
        pytest.skip("no links on this system")


def test_links_are_followed_and_never_in_circles(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    plain(GREEN).save(tmp_path / "elsewhere" / "x.png")
    link(root / "bird", tmp_path / "elsewhere")
    link(root / "cat" / "2.png", tmp_path / "elsewhere" / "x.png")
    link(root / "cat" / "up", root)
    link(root / "cat" / "self", root / "cat")
    link(root / "all", root)
    link(root / "dog" / "gone.png", tmp_path / "nothing.png")
    link(root / "lost", tmp_path / "nowhere")
    data = load_folder(root, image_size=16)
    assert data.class_names == ("bird", "cat", "dog")
    assert data.labels.tolist() == [0, 1, 1, 2]
    skipped = dict(data.skipped)
    assert "nowhere" in skipped["dog/gone.png"] and "nowhere" in skipped["lost"]
    for name in ("all", "cat/up", "cat/self"):
        assert "leads back" in skipped[name]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_does_not_hang_it(root):
    os.mkfifo(root / "cat" / "pipe.jpg")
    assert dict(load_folder(root, image_size=16).skipped)["cat/pipe.jpg"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="may read anything")
def test_what_may_not_be_read_is_listed(root):
    (root / "cat" / "x.png").write_bytes(png_bytes())
    (root / "cat" / "x.png").chmod(0)
    assert "not allowed" in dict(load_folder(root, image_size=16).skipped)["cat/x.png"]


# --- folders that cannot be used ---


def test_folders_that_are_no_data_set_get_a_clear_error(root, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    plain().save(tmp_path / "flat" / "1.png")
    (tmp_path / "single" / "cat").mkdir(parents=True)
    plain().save(tmp_path / "single" / "cat" / "1.png")
    for path, error, words in (
        (tmp_path / "nothing", MissingFileError, "no folder"),
        (root / "cat" / "1.png", InputError, "not a folder"),
        (tmp_path / "empty", InputError, "empty"),
        (tmp_path / "flat", InputError, "no sub-folders"),
        (tmp_path / "single", InputError, "one class only, 'cat'"),
        (None, InputError, "path"),
        (3, InputError, "path"),
    ):
        with pytest.raises(error, match=words) as caught:
            load_folder(path)
        assert isinstance(caught.value, TlkitError) and caught.value.mend


def test_a_class_without_a_usable_picture_is_an_error_that_says_why(root):
    (root / "bird").mkdir()
    with pytest.raises(InputError, match="'bird'"):
        load_folder(root)
    (root / "bird" / "1.jpg").write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"'bird'.*bird/1.jpg: an HTML page"):
        load_folder(root)


@pytest.mark.parametrize("size", [0, 15, 2000, 16.0, "160", None])
def test_sizes_out_of_range_are_refused(root, size):
    with pytest.raises(InputError, match="image_size"):
        load_folder(root, image_size=size)


def test_the_result_says_where_it_comes_from(root):
    data = load_folder(root)
    assert data.images.shape == (2, 160, 160, 3)
    assert data.name == "pets" and data.source and data.licence


# --- layouts ---


def write(root, *paths, colour=RED):
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        plain((200 - number, *colour[1:])).save(root / path)


@pytest.mark.parametrize(
    "parts", [("train", "val"), ("Training", "validation", "test"), ("train_set", "test data")]
)
def test_parts_of_a_data_set_are_no_classes(tmp_path, parts):
    write(tmp_path, *(f"{part}/{name}/1.png" for part in parts for name in ("cat", "dog")))
    with pytest.raises(InputError, match="parts of a data set") as caught:
        load_folder(tmp_path)
    assert "each with cat, dog" in str(caught.value)
    first = sorted(parts, key=folders.natural)[0]
    assert f"load_folder({str(tmp_path / first)!r})" in caught.value.mend
    assert load_folder(tmp_path / first).class_names == ("cat", "dog")


def test_parts_are_found_beside_other_folders_and_without_classes(tmp_path):
    write(tmp_path / "a", "train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dog/1.png")
    write(tmp_path / "a", "old/cat/1.png", "old/dog/1.png")
    write(tmp_path / "b", "train/1.png", "test/1.png")
    for name in "ab":
        with pytest.raises(InputError, match="parts of a data set"):
            load_folder(tmp_path / name)


def test_a_train_is_a_class_among_vehicles(tmp_path):
    write(tmp_path, "train/1.png", "plane/1.png", "car/1.png")
    assert load_folder(tmp_path).class_names == ("car", "plane", "train")


def test_one_folder_around_the_classes_is_pointed_into(tmp_path):
    write(tmp_path, "pets/cat/1.png", "pets/dog/1.png")
    with pytest.raises(InputError, match="one class only, 'pets'") as caught:
        load_folder(tmp_path)
    assert repr(str(tmp_path / "pets")) in caught.value.mend


def test_the_same_sub_folders_in_every_class_are_put_together_and_named(tmp_path):
    write(
        tmp_path, *(f"{name}/{when}/1.png" for name in ("cat", "dog") for when in ("day", "dusk"))
    )
    data = load_folder(tmp_path)
    assert data.class_names == ("cat", "dog") and len(data) == 4
    assert "sub-folders day, dusk" in data.notes[0] and data.notes[0] in data.describe()


# --- names that are bytes, or look alike ---


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names are text there")
def test_folders_named_in_another_code_page_stay_apart(tmp_path):
    for number, name in enumerate(("кот", "лис", "сом", "утка")):
        folder = os.path.join(os.fsencode(tmp_path), name.encode("cp1251"))
        os.mkdir(folder)
        (tmp_path / os.fsdecode(folder) / "1.png").write_bytes(png_bytes(plain((number, 0, 0))))
    data = load_folder(tmp_path)
    assert data.counts().tolist() == [1, 1, 1, 1] and len(set(data.class_names)) == 4
    assert r"\xea\xee\xf2" in data.class_names and "not UTF-8" in data.notes[0]


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names are text there")
def test_files_named_in_another_code_page_stay_apart(root):
    for name in ("кот.png", "лис.png"):
        path = os.path.join(os.fsencode(root), b"cat", name.encode("cp1251"))
        with open(path, "wb") as file:
            file.write(b"")
    assert len(dict(load_folder(root).skipped)) == 2


@pytest.mark.parametrize(
    "names", [("cat", "cat "), ("caf\u00e9", "cafe\u0301"), ("cat", "ca\u200bt")]
)
def test_class_folders_that_look_the_same_are_refused_by_both_names(tmp_path, names):
    write(tmp_path, *(f"{name}/1.png" for name in (*names, "dog")))
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("one and the same folder on this system")
    with pytest.raises(InputError, match="look the same in print") as caught:
        load_folder(tmp_path)
    assert all(ascii(name) in str(caught.value) for name in names)


def test_classes_that_differ_in_capitals_only_are_named(tmp_path):
    write(tmp_path, "Cat/1.png", "cat/1.png", "dog/1.png")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("one and the same folder on this system")
    data = load_folder(tmp_path)
    assert len(data.class_names) == 3
    assert data.notes == ("The classes 'Cat', 'cat' differ in capitals only.",)


# --- scales ---


def save_grey(path, high, low=0, kind=np.uint16):
    ramp = np.tile(np.linspace(low, high, 64), (64, 1)).astype(kind)
    Image.fromarray(ramp).save(path)


def test_a_folder_of_twelve_bits_in_sixteen_has_one_white(root):
    (root / "cat" / "1.png").unlink()
    save_grey(root / "cat" / "1.png", 4000)
    save_grey(root / "cat" / "2.png", 900)
    data = load_folder(root, image_size=16)
    assert data.white == 4095
    assert abs(data.images[0].max() - 4000 / 4095 * 255) < 8
    # Darker, as it is: not stretched to a white of its own.
    assert abs(data.images[1].max() - 900 / 4095 * 255) < 4
    assert "16 bits of which 12 are used, so 4095 is white: 2 files" in data.notes[0]


@pytest.mark.parametrize(
    ("high", "white"), [(200, 255), (1000, 1023), (4095, 4095), (9000, 16383), (60000, 65535)]
)
def test_white_is_that_of_as_many_bits_as_are_used(root, high, white):
    save_grey(root / "cat" / "x.png", high)
    data = load_folder(root, image_size=16)
    assert data.white == white and bool(data.notes) == (white < 65535)
    assert abs(data.images[1].max() - high / white * 255) < 9


def test_ordinary_pictures_have_no_white_of_their_own_and_nothing_is_said(root):
    data = load_folder(root, image_size=16)
    assert data.white is None and data.notes == ()


@pytest.mark.parametrize("high", [1, 255])
def test_floats_from_0_to_1_and_to_255_mean_what_they_say(root, high):
    save_grey(root / "cat" / "x.tif", high, kind=np.float32)
    data = load_folder(root, image_size=16)
    assert data.images[1].max() > 243 and data.images[1].min() < 12 and not data.notes


@pytest.mark.parametrize(("low", "high", "kind"), [(-5, 7, np.float32), (0, 10**6, np.int32)])
def test_numbers_without_a_known_white_are_stretched_and_named(root, low, high, kind):
    save_grey(root / "cat" / "x.tif", high, low, kind)
    data = load_folder(root, image_size=16)
    assert data.images[1].max() > 243 and data.images[1].min() < 12
    assert "No known white" in data.notes[0] and "cat/x.tif" in data.notes[0]


def test_a_nearly_black_picture_is_named(root):
    plain((9, 12, 20)).save(root / "cat" / "x.png")
    assert "Nearly black" in load_folder(root, image_size=16).notes[0]


def test_pages_that_are_not_read_are_named(root):
    plain().save(root / "cat" / "x.gif", save_all=True, append_images=[plain(BLUE)])
    plain().save(root / "cat" / "y.tif", save_all=True, append_images=[plain(BLUE)])
    (note,) = load_folder(root, image_size=16).notes
    assert note == (
        "Several pages or frames, of which the first was read: 2 files, such as cat/x.gif."
    )


def test_the_preview_in_a_raw_photograph_does_not_pass_for_it(root):
    plain().save(root / "cat" / "x.dng", "TIFF", tiffinfo={254: 1})
    assert "raw photograph" in dict(load_folder(root).skipped)["cat/x.dng"]


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow does not read it")
def test_avif_is_read(root):
    plain(GREEN).save(root / "cat" / "x.avif")
    assert near(read(root), GREEN, 8)


def test_heic_is_read_or_names_the_package_that_does(root):
    try:
        import pillow_heif
    except ImportError:
        (root / "cat" / "x.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
        assert "pip install pillow-heif" in dict(load_folder(root).skipped)["cat/x.heic"]
    else:
        pillow_heif.from_pillow(plain(GREEN, (64, 64))).save(root / "cat" / "x.heic")
        assert near(read(root), GREEN, 8)


# --- single pictures ---


def test_pictures_are_read_one_by_one_as_in_a_folder(root):
    corners(300, 200).save(root / "cat" / "2.jpg")
    save_grey(root / "cat" / "3.png", 900)
    save_grey(root / "cat" / "4.png", 4000)
    data = load_folder(root, image_size=32)
    paths = [root / "cat" / f"{name}" for name in ("1.png", "2.jpg", "3.png", "4.png")]
    alone = read_pictures(paths, image_size=32, white=data.white)
    assert (alone == data.images[:4]).all()
    assert (read_pictures(str(paths[1]), 32) == alone[1]).all()


def test_a_picture_that_cannot_be_used_is_named_with_the_reason(root):
    (root / "cat" / "x.png").write_bytes(b"<html>")
    for paths, error, words in (
        (root / "cat" / "x.png", InputError, "x.png.* an HTML page"),
        ([root / "cat" / "1.png", "gone.png"], MissingFileError, "gone.png"),
        (root, InputError, "not a file"),
        ([], InputError, "paths"),
        (3, InputError, "paths"),
        ([3], InputError, "path"),
        (b"x.png", InputError, "paths"),
    ):
        with pytest.raises(error, match=words):
            read_pictures(paths)


def test_the_reading_needs_nothing_but_pillow_and_numpy(root):
    """The script beside an exported classifier holds these very lines."""
    corners(70, 50).save(root / "cat" / "x.png")
    text, alone = Path(reading.__file__).read_text(encoding="utf-8"), {"__name__": "alone"}
    exec(text, alone)
    path = str(root / "cat" / "x.png")
    assert (alone["read_picture"](path, 32) == read_pictures(path, 32)[0]).all()
    imported = set(
        re.findall(r"^ *(?:from|import) (\w+)", Path(reading.__file__).read_text(), re.M)
    )
    assert imported == {"typing", "numpy", "PIL", "pillow_heif"}

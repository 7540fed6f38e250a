"""Every kind of input: what will do comes back in its usual form, all else is told in words."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlkit import checks
from tlkit.data.names import labels_by_name
from tlkit.errors import InputError, MissingFileError


def refused(said):
    return pytest.raises(InputError, match=said)


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_of_python_and_numpy_will_do(value):
    assert checks.whole(value, "steps", 1, 3) == 3
    assert type(checks.whole(value, "steps", 1)) is int


@pytest.mark.parametrize("value", [0, 4, -1, 2.0, "2", None, True, np.array([1, 2])])
def test_other_than_whole_numbers_within_limits_are_refused(value):
    with refused("`steps` is .* Give a whole number from 1 to 3."):
        checks.whole(value, "steps", 1, 3)


def test_a_seed_fits_in_32_bits():
    assert checks.seed(2**32 - 1) == 2**32 - 1
    for wrong in (-1, 2**32, 1.5, None):
        with refused("`seed`"):
            checks.seed(wrong)


@pytest.mark.parametrize("value", [0, 1, -0.5, 2, np.nan, np.inf, "0.5", True, None, [0.5]])
def test_numbers_outside_their_limits_are_refused(value):
    with refused("Give a number between 0 and 1, such as 0.001."):
        checks.number(value, "learning_rate", 0, 1, such_as=1e-3)


def test_limits_themselves_will_do_where_that_is_said():
    assert checks.number(np.float32(1), "alpha", 0, 1, ends=True) == 1.0
    assert checks.number(0, "alpha", 0, ends=True) == 0.0
    with refused("from 0 to 1"):
        checks.number(1.01, "alpha", 0, 1, ends=True)
    with refused("from 1 up"):
        checks.number(0.3, "ratio", 1, ends=True)
    with refused("above 0"):
        checks.number(0, "temperature", 0)


def test_numbers_have_the_shape_asked_for():
    assert checks.numbers([[1, 2]], "The map", (1, None)).tolist() == [[1.0, 2.0]]
    for wrong, said in (
        ([1, 2], r"The map has the shape \(2,\). Give the shape \(1, any\)"),
        (["a"], "cannot be read"),
        ([[np.nan]], "NaN"),
        (np.zeros((1, 0)), "shape"),
    ):
        with refused(said):
            checks.numbers(wrong, "The map", (1, None))


# --- names and paths --------------------------------------------------------------------------


def test_near_names_are_named():
    assert checks.choice("auto", ["auto", "features"], "strategy") == "auto"
    with refused("There is no strategy 'feature'. Did you mean features?"):
        checks.choice("feature", ["auto", "features"], "strategy")
    with refused("Use one of: 'auto', 'features'."):
        checks.choice("zebra", ["auto", "features"], "strategy")


@pytest.mark.parametrize("value", [None, 1, ["auto"], np.array(["auto"]), {"auto"}, ""])
def test_what_is_no_name_is_refused(value):
    with refused("There is no strategy"):
        checks.choice(value, ["auto", "features"], "strategy")


def test_a_list_of_texts_may_hold_numbers():
    assert checks.texts(("cat", 7), "The labels") == ["cat", "7"]
    assert checks.texts({"cat": 1}.keys(), "The labels") == ["cat"]
    for wrong in ("cat", None, 7, b"cat", {"cat": 1}):
        with pytest.raises(InputError, match="The labels"):
            checks.texts(wrong, "The labels")


def test_paths_and_their_endings(tmp_path):
    assert checks.path(str(tmp_path)) == tmp_path
    assert checks.path("~/x").is_absolute()
    assert checks.path(Path("a.keras"), ".keras").name == "a.keras"
    with refused("'a.h5' does not end in .keras. Call it a.keras."):
        checks.path("a.h5", ".keras")
    for wrong in (3, None, b"x", ["a"]):
        with refused("is no path"):
            checks.path(wrong)


def test_what_must_be_there_is_looked_for(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("here")
    assert checks.path(file, there="file") == file
    assert checks.path(tmp_path, there="folder") == tmp_path
    assert checks.path(tmp_path / "new.txt", there="place")
    with pytest.raises(MissingFileError, match=r"There is no file .*looked in"):
        checks.path(tmp_path / "b.txt", there="file")
    with refused("is not a folder"):
        checks.path(file, there="folder")
    with refused("is not a file"):
        checks.path(tmp_path, there="file")
    with refused("There is no folder .* Make it first"):
        checks.path(tmp_path / "no" / "b.txt", there="place")


# --- pictures and labels ----------------------------------------------------------------------

RGB = np.random.default_rng(0).integers(0, 256, (2, 8, 6, 3)).astype("uint8")


def test_pictures_keep_their_values():
    assert checks.pictures(RGB, (8, 6, 3)) is RGB
    floats = checks.pictures(RGB.tolist())
    assert floats.dtype == np.float32 and np.array_equal(floats, RGB)
    assert checks.pictures(np.zeros((1, 8, 6, 3))).max() == 0  # black ones are pictures, too
    assert np.array_equal(checks.picture(RGB[1]), RGB[1:])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (RGB / 255, "scaled already"),
        (RGB / 127.5 - 1, "scaled already"),
        (RGB * 2.0, "scaled already"),
        (np.where(RGB > 250, np.nan, RGB), "NaN"),
        (np.where(RGB > 250, np.inf, RGB), "NaN"),
        (RGB[0], r"image\[None\]"),
        (RGB[..., :1], "shape"),
        (RGB[:0], "shape"),
        (RGB[:, :0], "shape"),
        (RGB.astype(str), "numbers"),
        (RGB > 100, "numbers"),
        (RGB.transpose(0, 3, 1, 2), "shape"),
        (None, "numbers"),
        (RGB[:, :4], "6×4 pixels, but the model takes 6×8"),
    ],
)
def test_what_are_no_raw_pictures_of_the_size_is_refused(wrong, said):
    with refused(said):
        checks.pictures(wrong, (8, 6, 3))


def test_a_model_of_other_inputs_takes_no_pictures():
    for shape, said in (((7,), r"inputs of shape \(7,\)"), ((8, 6, 1), r"\(8, 6, 1\)")):
        with refused(said):
            checks.pictures(RGB, shape)


def test_one_picture_is_one():
    for wrong in (RGB, RGB[0, 0], "cat.png"):
        with refused("One picture"):
            checks.picture(wrong)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9))
def test_labels_are_whole_numbers_from_0(values):
    found = checks.labels(np.array(values, "uint8"), len(values), 5)
    assert found.dtype == np.int64 and found.tolist() == values


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([0, 1], "for 3 pictures"),
        ([0.0, 1.0, 1.0], "float64"),
        (["cat", "dog", "cat"], "whole number"),
        ([True, False, True], "bool"),
        (np.eye(3), r"one-hot rows take labels.argmax\(axis=1\)"),
        ([0, 1, 2], "go from 0 to 2, for 2 classes. Give labels from 0 to 1"),
        ([-1, 0, 1], "go from -1 to 1"),
        (None, "for 3 pictures"),
    ],
)
def test_other_labels_are_refused(wrong, said):
    with refused(said):
        checks.labels(wrong, 3, 2)


def test_a_set_is_what_has_pictures_labels_and_class_names():
    data = SimpleNamespace(images=RGB, labels=np.array([1, 0]), class_names=("cat", "dog"))
    assert checks.dataset(data) is data
    for wrong, said in (
        ((RGB, [0, 1]), "tuple is no set of pictures with labels"),
        (RGB, "tlkit.ImageDataset"),
        (SimpleNamespace(images=RGB[:0], labels=[], class_names=("cat",)), "no pictures"),
    ):
        with refused(said):
            checks.dataset(wrong)


def test_classes_meet_by_name_and_not_by_number():
    data = SimpleNamespace(labels=np.array([0, 1, 0]), class_names=("dog", "cat", "unused"))
    assert labels_by_name(data, ("cat", "cow", "dog")).tolist() == [2, 0, 2]
    with refused("The classifier knows no class 'dog'. Its classes are: cat, cow."):
        labels_by_name(data, ("cat", "cow"))

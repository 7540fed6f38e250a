"""One door to pictures with labels: folders, archives, tables, arrays, streams."""

import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.package.tiny_workshop import SIZE, pictures, write_folder
from tlkit import load_pictures
from tlkit.errors import InputError, MissingFileError

DATA = pictures((6, 4))


def same(loaded, data=DATA):
    """Whether these are the same pictures of the same classes, in any order."""
    told = {
        (each.tobytes(), loaded.class_names[label])
        for each, label in zip(loaded.images, loaded.labels, strict=True)
    }
    return told == {
        (each.tobytes(), data.class_names[label])
        for each, label in zip(data.images, data.labels, strict=True)
    }


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "pets", (6, 4), seed=0)


# --- the size ---


def write_sized(root, sides):
    for number, side in enumerate(sides):
        place = root / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (side, side + 40)).save(place / f"{number}.png")
    return root


@pytest.mark.parametrize(
    ("sides", "size"),
    [([300] * 4, 224), ([159] * 4, 160), ([160] * 4, 224), ([30] * 5 + [900], 160)],
)
def test_photographs_are_read_at_224_pixels_and_small_pictures_at_160(tmp_path, sides, size):
    folder = write_sized(tmp_path, sides)
    assert load_pictures(folder).images.shape[1:] == (size, size, 3)
    assert load_pictures(folder, 64).images.shape[1] == 64


def test_a_file_that_is_no_picture_does_not_choose_the_size(tmp_path):
    folder = write_sized(tmp_path, [300] * 4)
    for number in range(4):
        (folder / "a" / f"words{number}.png").write_text("words")
    loaded = load_pictures(folder)
    assert loaded.images.shape[1] == 224 and len(loaded.skipped) == 4


def test_arrays_and_streams_have_a_size_that_suits_them():
    labels = np.arange(4) % 2
    for side, size in ((28, 160), (200, 224)):
        arrays = np.zeros((4, side, side, 3), "uint8")
        assert load_pictures((arrays, labels)).images.shape[1] == size
        stream = tf.data.Dataset.from_tensor_slices((arrays, labels))
        assert load_pictures(stream).images.shape[1] == size


# --- folders and archives ---


def test_a_folder(folder):
    assert same(load_pictures(folder, SIZE)) and same(load_pictures(str(folder), SIZE))


def test_so_many_of_each_class_by_the_seed(folder):
    some = load_pictures(folder, SIZE, n=3, seed=1)
    assert some.counts().tolist() == [3, 3]
    assert same(load_pictures(folder, SIZE, n=3, seed=1), some)
    assert not same(load_pictures(folder, SIZE, n=3, seed=2), some)
    assert load_pictures(folder, SIZE, n=5).counts().tolist() == [4, 5]


def test_a_folder_in_parts(tmp_path):
    for part, counts in (("train", (3, 3)), ("test", (2, 2))):
        write_folder(tmp_path / part, counts)
    training = load_pictures(tmp_path, SIZE)
    assert len(training) == 6 and "part='test'" in training.notes[0]
    test = load_pictures(tmp_path, SIZE, part="test")
    assert len(test) == 4 and not test.notes
    with pytest.raises(InputError, match=r"no part 'tst'\. Did you mean test"):
        load_pictures(tmp_path, SIZE, part="tst")


def test_a_folder_without_parts_has_none(folder):
    with pytest.raises(InputError, match="no part 'train': it has none"):
        load_pictures(folder, SIZE, part="train")


def test_an_archive_with_a_folder_around_and_what_a_mac_adds(folder, tmp_path):
    archive = tmp_path / "pets.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.rglob("*.png"):
            packed.write(path, f"pets/{path.relative_to(folder)}")
            packed.writestr(f"__MACOSX/pets/._{path.name}", b"x")
    loaded = load_pictures(archive, SIZE)
    assert same(loaded) and loaded.name == "pets" and not loaded.skipped


def test_an_archive_cannot_write_elsewhere(folder, tmp_path):
    archive = tmp_path / "in" / "pets.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.rglob("*.png"):
            packed.write(path, path.relative_to(folder))
        packed.writestr("../../escaped.png", b"x")
    before = sorted(tmp_path.rglob("*"))
    load_pictures(archive, SIZE)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"Rar!\x1a\x07\x00"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "pets.zip").write_bytes(content)
    with pytest.raises(InputError, match="no folder, no zip and no table"):
        load_pictures(tmp_path / "pets.zip")


def test_an_archive_that_would_fill_the_disk_is_refused(folder, tmp_path, monkeypatch):
    from tlkit.data import sources

    monkeypatch.setattr(sources, "MOST_UNPACKED", 100)
    archive = tmp_path / "pets.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(next(folder.rglob("*.png")), "a/x.png")
    with pytest.raises(InputError, match="would need"):
        load_pictures(archive)


# --- tables ---


def write_table(root, rows, name="labels.csv", head="id,breed", place="", ending=".png"):
    (root / place).mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(DATA.images):
        Image.fromarray(image).save(root / place / f"p{number}{ending}")
    table = root / name
    table.write_text("\n".join([head, *rows]), encoding="utf-8")
    return table


ROWS = [f"p{number},{DATA.class_names[label]}" for number, label in enumerate(DATA.labels)]


def test_a_table_as_competitions_have_it(tmp_path):
    assert same(load_pictures(write_table(tmp_path, ROWS, place="train"), SIZE))


@pytest.mark.parametrize("between", [";", "\t"])
def test_a_table_of_paths_with_other_marks_between(tmp_path, between):
    rows = [f"in/{row.replace(',', '.png,')},x".replace(",", between) for row in ROWS]
    head = between.join(["path", "label", "note"])
    table = write_table(tmp_path, rows, "t.tsv", head, "in")
    assert same(load_pictures(table, SIZE))


def test_a_table_says_which_files_are_missing_and_which_rows_have_no_class(tmp_path):
    table = write_table(tmp_path, [*ROWS, "p99,red", "p0,"])
    # What describes a picture often lies beside it under the same name.
    (tmp_path / "p1.json").write_text("{}")
    loaded = load_pictures(table, SIZE)
    assert same(loaded)
    assert loaded.skipped == (("p0", "no class is given"), ("p99", "there is no such file"))


def test_columns_that_cannot_be_guessed_are_asked_for(tmp_path):
    rows = [f"{row},{number % 2},{number}" for number, row in enumerate(ROWS)]
    table = write_table(tmp_path, rows, head="id,colour,odd,size")
    with pytest.raises(InputError, match="columns id, colour, odd, size"):
        load_pictures(table, SIZE)
    assert same(load_pictures(table, SIZE, columns=("id", "colour")))
    with pytest.raises(InputError, match="Name two of them"):
        load_pictures(table, SIZE, columns=("id", "color"))
    for columns in ("id", ["id"], 3):
        with pytest.raises(InputError, match="`columns`"):
            load_pictures(table, SIZE, columns=columns)


def test_a_name_in_two_folders_is_not_guessed(tmp_path):
    table = write_table(tmp_path, ROWS, place="train")
    write_table(tmp_path, ROWS, place="test")
    with pytest.raises(InputError, match="2 files 'p0'"):
        load_pictures(table, SIZE)
    assert same(load_pictures(table, SIZE, part="train"))


@pytest.mark.parametrize("text", ["", "id,label", "\xff\xfe"])
def test_what_is_no_table_is_refused(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError):
        load_pictures(tmp_path / "t.csv")


# --- arrays ---


def test_arrays_and_what_keras_data_sets_give():
    pair = DATA.images, DATA.labels[:, None]
    assert same(load_pictures(pair, SIZE, class_names=DATA.class_names))
    both = load_pictures((pair, (DATA.images[:2], DATA.labels[:2])), SIZE)
    assert len(both) == 10 and both.class_names == ("0", "1") and "part='test'" in both.notes[0]
    assert len(load_pictures((pair, (DATA.images[:2], [0, 1])), SIZE, part="test")) == 2


def test_grey_arrays_one_hot_rows_and_names():
    grey = DATA.images[..., 0]
    for images in (grey, grey[..., None], grey / 255.0):
        loaded = load_pictures((images, np.eye(2)[DATA.labels]), SIZE)
        assert (loaded.images[..., 1] == grey).all() and (loaded.labels == DATA.labels).all()
    assert "from 0 to 1" in loaded.notes[0]
    named = load_pictures((grey, np.array(["b", "a"])[DATA.labels]), SIZE)
    assert named.class_names == ("a", "b") and (named.labels == 1 - DATA.labels).all()


def test_a_black_picture_among_fractions_leaves_the_others_as_they_are():
    images = DATA.images / 255.0
    images[0] = 0
    loaded = load_pictures((images, DATA.labels), SIZE)
    assert (loaded.images[1:] == DATA.images[1:]).all() and loaded.images[0].max() == 0


def test_a_nearly_black_picture_among_floats_stays_black():
    images = DATA.images.astype("float32")
    images[0] = 1
    assert load_pictures((images, DATA.labels), SIZE).images[0].max() == 1


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (DATA.images - 128.0, DATA.labels, "lie between -"),
        (DATA.images.astype("uint16") * 256, DATA.labels, "from 0 to 255"),
        (DATA.images, DATA.labels[:3], "the labels \\(3,\\)"),
        (DATA.images, 3, "the labels \\(\\)"),
        (DATA.images[..., :2], DATA.labels, "of shape \\(32, 32, 2\\)"),
        (DATA.images, DATA.labels + 0.5, "A label is 0.5"),
        (DATA.images[:0], [], "have the shape \\(0,"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(images, labels, words):
    with pytest.raises(InputError, match=words):
        load_pictures((images, labels), SIZE)


def test_too_few_names_for_the_labels():
    with pytest.raises(InputError, match="of 1 classes"):
        load_pictures((DATA.images, DATA.labels), SIZE, class_names=["red"])


# --- tf.data ---


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("mode", ["int", "categorical", "dict"])
def test_tensorflow_s_data_sets(batch, mode):
    labels = np.eye(2, dtype="float32")[DATA.labels] if mode == "categorical" else DATA.labels
    columns = (DATA.images, labels)
    rows = {"image": DATA.images, "label": labels} if mode == "dict" else columns
    source = tf.data.Dataset.from_tensor_slices(rows)
    source = source.batch(batch) if batch else source
    assert same(load_pictures(source, SIZE, class_names=DATA.class_names))
    some = load_pictures(source, SIZE, n=2, seed=3)
    assert some.counts().tolist() == [2, 2]
    assert same(load_pictures(source, SIZE, n=2, seed=3), some)


def test_what_keras_makes_of_a_directory(folder):
    options = {"image_size": (SIZE, SIZE), "batch_size": 4, "verbose": False}
    source = keras.utils.image_dataset_from_directory(folder, **options)
    loaded = load_pictures(source, SIZE)
    assert loaded.class_names == ("blue", "red") and same(loaded)


def test_a_stream_ends_when_all_classes_have_enough():
    read = []

    def rows():
        for number in range(10_000):
            read.append(number)
            yield DATA.images[number % 10], number % 2

    shapes = tf.TensorSpec((SIZE, SIZE, 3), tf.uint8), tf.TensorSpec((), tf.int64)
    source = tf.data.Dataset.from_generator(rows, output_signature=shapes)
    loaded = load_pictures(source, SIZE, n=3, class_names=("a", "b"))
    assert loaded.counts().tolist() == [3, 3] and len(read) < 2000


# --- what is none of these ---


@pytest.mark.parametrize("source", [None, 3, [], {}, object(), "", DATA.images])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(InputError):
        load_pictures(source)


def test_a_misspelt_path_and_a_missing_package(tmp_path, monkeypatch):
    with pytest.raises(MissingFileError, match="There is no file"):
        load_pictures(tmp_path / "none.zip")
    monkeypatch.setitem(__import__("sys").modules, "tensorflow_datasets", None)
    with pytest.raises(MissingFileError, match="pip install tensorflow-datasets"):
        load_pictures("tf_flowers")
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MissingFileError, match="pip install datasets"):
        load_pictures("hf:beans")

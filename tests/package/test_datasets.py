"""The data sets that come with pip: what they hold, and what they answer to wrong questions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlkit import store
from tlkit.data import datasets, icons, reference
from tlkit.data.datasets import ImageDataset, dataset_names, load_dataset, verify_dataset
from tlkit.errors import DamagedFileError, InputError
from tlkit.paths import read_card

TWENTY = icons.catalogue()[:20]
NAMES = ("sunglasses-or-hat", "icons", "digits", "photos")


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"


def make(labels, classes=3):
    """A data set whose pictures carry their own row number."""
    labels = np.array(labels, np.int64)
    images = np.zeros((len(labels), 2, 2, 3), np.uint8)
    images[..., 0] = (np.arange(len(labels)) % 256)[:, None, None]
    return ImageDataset(images, labels, tuple("abcdefghij"[:classes]))


def rows(data):
    return data.images[:, 0, 0, 0].tolist()


# --- the container ---


def test_a_dataset_says_what_is_wrong_with_it():
    images, labels = np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1])
    for wrong in (
        (images / 255.0, labels, ("a", "b")),
        (images.tolist(), labels, ("a", "b")),
        (images[..., 0], labels, ("a", "b")),
        (images[..., :1], labels, ("a", "b")),
        (images.transpose(0, 3, 1, 2), labels, ("a", "b")),
        (images, labels[:1], ("a", "b")),
        (images, np.array([0.0, 1.0]), ("a", "b")),
        (images, np.array([0, 2]), ("a", "b")),
        (images, np.array([-1, 0]), ("a", "b")),
        (images, np.eye(2, dtype=int), ("a", "b")),
        (images, labels, "ab"),
        (images, labels, ()),
        (images, labels, ("a", "a")),
        (images, labels, (0, 1)),
    ):
        with pytest.raises(InputError):
            ImageDataset(*wrong)


@pytest.mark.parametrize(
    "names",
    [
        ("cat", "cat "),
        ("cat", " cat"),
        ("two words", "two  words"),
        ("caf\u00e9", "cafe\u0301"),
        ("cat", "c\u200bat"),
        ("cat", "cat\u2060"),
        ("cat", "\ufeffcat"),
        ("a\u00a0b", "a b"),
    ],
)
def test_classes_that_look_the_same_in_print_are_refused_by_both_names(names):
    with pytest.raises(InputError, match="look the same in print") as caught:
        ImageDataset(np.zeros((2, 4, 4, 3), np.uint8), [0, 1], names)
    assert all(ascii(name) in str(caught.value) for name in names)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\n"])
def test_a_class_needs_a_name_that_shows(name):
    with pytest.raises(InputError, match="shows nothing in print"):
        ImageDataset(np.zeros((2, 4, 4, 3), np.uint8), [0, 1], ("cat", name))


def test_capitals_and_other_scripts_make_other_classes():
    names = ("a", "A", "кот", "m2", "m²")
    assert ImageDataset(np.zeros((1, 4, 4, 3), np.uint8), [0], names).class_names == names


def test_what_keras_users_hold_is_told_what_to_do():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    for wrong, words in (
        ((images, np.eye(2, dtype=int), ("a", "b")), "argmax"),
        ((images, ["cat", "dog"], ("cat", "dog")), "one whole number for each picture"),
        ((images.astype("float32"), [0, 1], ("a", "b")), "np.uint8"),
        ((iter([(images, [0, 1])]), [0, 1], ("a", "b")), "np.uint8"),
        ((images, [0, 1], None), "one name per class"),
    ):
        with pytest.raises(InputError, match=words):
            ImageDataset(*wrong)


def test_labels_become_int64_and_names_a_tuple():
    data = ImageDataset(np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1], np.uint8), ["a", "b"])
    assert data.labels.dtype == np.int64 and data.class_names == ("a", "b") and len(data) == 2
    with pytest.raises(AttributeError):
        data.name = "other"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=120), st.data())
def test_split_is_exact_stratified_and_loses_nothing(labels, draw):
    data = make(labels)
    counts = np.bincount(labels, minlength=3)
    train = draw.draw(st.integers(1, len(labels)))
    classes = int((counts > 0).sum())
    if (counts == 1).any() or not classes <= train <= len(labels) - classes:
        with pytest.raises(InputError):
            data.split(train=train)
        return
    first, rest = data.split(train=train, seed=3)
    assert len(first) == train and len(first) + len(rest) == len(data)
    assert sorted(rows(first) + rows(rest)) == list(range(len(data)))
    shares = np.bincount(first.labels, minlength=3)
    assert ((shares >= 1) == (counts > 0)).all() and (shares < counts)[counts > 0].all()
    # Away from the bounds, within one of the exact share.
    roomy = counts * train / len(data)
    inside = (roomy >= 1) & (roomy <= counts - 1)
    if inside[counts > 0].all():
        assert (np.abs(shares - roomy) < 1).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=80), st.data())
def test_take_is_exact_and_stratified(labels, draw):
    data = make(labels)
    n = draw.draw(st.integers(1, len(labels)))
    some = data.take(n, seed=1, of_each=0)
    assert len(some) == n and len(set(rows(some))) == n
    exact = np.bincount(labels, minlength=3) * n / len(labels)
    assert (np.abs(np.bincount(some.labels, minlength=3) - exact) < 1).all()
    assert [data.labels[row] for row in rows(some)] == some.labels.tolist()


def test_a_seed_decides_and_smaller_takes_are_within_larger_ones():
    data = make([0, 1] * 50, classes=2)
    assert rows(data.take(20, seed=5)) == rows(data.take(20, seed=5))
    assert rows(data.take(20, seed=5)) != rows(data.take(20, seed=6))
    assert set(rows(data.take(20, seed=5))) < set(rows(data.take(40, seed=5)))
    # The order is mixed: a learner who takes the first half has both classes.
    assert 3 < data.split(train=50, seed=0)[0].labels[:20].sum() < 17


@pytest.mark.parametrize("train", [0, -1, 1, 99, 100, 101, 2.0, "20", None, True])
def test_impossible_splits_are_refused(train):
    with pytest.raises(InputError, match="train"):
        make([0, 1] * 50, classes=2).split(train=train)


def test_a_class_with_one_picture_cannot_be_split():
    with pytest.raises(InputError, match="'b'"):
        make([0, 0, 0, 1], classes=2).split(train=2)


@pytest.mark.parametrize("n", [0, 5, 1.5, None])
def test_impossible_takes_are_refused(n):
    with pytest.raises(InputError):
        make([0, 1, 0, 1], classes=2).take(n)


@pytest.mark.parametrize("n", [9, 10, 40, 103])
def test_a_rare_class_is_not_lost(n):
    data = make([0] * 100 + [1] * 3 + [2] * 4, classes=3)
    assert data.take(n).counts().min() >= 1
    taken = data.take(n, of_each=3).counts()
    assert taken.sum() == n and taken.min() >= 3
    with pytest.raises(InputError, match="too few for 4 of each of 3 classes"):
        data.take(10, of_each=4)


def test_fewer_pictures_than_classes_are_taken_only_on_demand():
    with pytest.raises(InputError, match="of_each=0"):
        make([0, 1, 2]).take(2)
    assert len(make([0, 1, 2]).take(2, of_each=0)) == 2


def test_describe_and_show():
    matplotlib = pytest.importorskip("matplotlib")
    data = load_dataset("photos", image_size=32)
    text = data.describe()
    assert "11 pictures of 32 x 32" in text and "coffee" in text and "Licence:" in text
    matplotlib.use("Agg")
    figure = data.show(3)
    assert isinstance(figure, matplotlib.figure.Figure)
    with pytest.raises(InputError):
        data.show(0)


# --- the four sets ---


def test_names():
    assert dataset_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_what_its_card_says(name):
    card, data = read_card("datasets", name), load_dataset(name, n=8, image_size=32, seed=2)
    assert data.images.shape == (8, 32, 32, 3) and data.images.dtype == np.uint8
    assert data.labels.dtype == np.int64
    assert list(data.class_names) == card["class_names"]
    assert (data.name, data.source, data.licence) == (name, card["source"], card["licence"])
    for entry in ("title", "source", "licence", "attribution", "how_it_is_made", "made_with"):
        assert card[entry]
    again = load_dataset(name, n=8, image_size=32, seed=2)
    assert (again.images == data.images).all() and (again.labels == data.labels).all()
    other = load_dataset(name, n=8, image_size=32, seed=3)
    assert (other.images != data.images).any()


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_the_ones_the_course_was_written_with(name):
    assert verify_dataset(name) in ("identical", "alike")


def test_every_photo_has_its_source_and_licence():
    photos = read_card("datasets", "photos")["photos"]
    assert set(photos) == set(datasets.PHOTOS)
    assert all(entry["source"] and entry["licence"] for entry in photos.values())


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "hats"},
        {"name": "icons", "n": 0},
        {"name": "icons", "n": 1154},
        {"name": "digits", "n": 5001},
        {"name": "photos", "n": 12},
        {"name": "digits", "n": 5, "image_size": 8},
        {"name": "digits", "n": 5, "image_size": (64, 64)},
        {"name": "digits", "n": 5, "seed": -1},
        {"name": "sunglasses-or-hat", "n": -3},
    ],
)
def test_wrong_questions_get_a_clear_error(arguments, own_cache):
    with pytest.raises(InputError) as caught:
        load_dataset(**{"image_size": 32, **arguments})
    assert caught.value.what and caught.value.mend


def test_icons_are_five_groups_without_repeats():
    catalogue = icons.catalogue()
    assert len(catalogue) == 1153
    assert len({code for code, _ in catalogue}) == len(catalogue)
    assert not any(tone in code for code, _ in catalogue for tone in ("1F3FB", "1F3FF"))
    labels = dict(catalogue)
    for code, group in (("1F431", 0), ("1F34E", 1), ("1F697", 2), ("1F511", 3), ("1F475", 4)):
        assert labels[code] == group


def test_digits_are_the_digits():
    data = load_dataset("digits", image_size=28)
    assert np.bincount(data.labels).tolist() == [500] * 10
    ones, zeros = data.images[data.labels == 1], data.images[data.labels == 0]
    assert ones[:, 14, 14].mean() > 150 > 60 > zeros[:, 14, 14].mean()
    assert (data.images[..., 0] == data.images[..., 2]).all()


# --- what is kept on disk ---


def test_rendered_icons_are_kept_and_a_damaged_file_is_made_anew(own_cache, monkeypatch):
    monkeypatch.setattr(icons, "catalogue", lambda: TWENTY)
    first = load_dataset("icons", image_size=16)
    (kept,) = own_cache.iterdir()
    monkeypatch.setattr(icons, "draw_all", lambda size: pytest.fail("drawn twice"))
    assert (load_dataset("icons", image_size=16).images == first.images).all()
    monkeypatch.undo()
    monkeypatch.setenv("TLKIT_CACHE", str(own_cache.parent))
    monkeypatch.setattr(icons, "catalogue", lambda: TWENTY)
    whole = kept.read_bytes()
    swapped = bytearray(whole)
    swapped[len(swapped) // 2] ^= 255
    for damage in (b"", whole[:-100], bytes(swapped), b"<html>"):
        kept.write_bytes(damage)
        assert (load_dataset("icons", image_size=16).images == first.images).all()
        assert store.recall("datasets", kept.name) is not None


def test_a_read_only_cache_is_no_error(own_cache):
    own_cache.parent.write_text("a file where the folder would be")
    assert len(load_dataset("digits", n=4, image_size=16)) == 4
    assert not store.keep("datasets", "x.npz", a=np.zeros(2))


def test_no_pickle_is_ever_opened(own_cache):
    own_cache.mkdir(parents=True)
    np.savez(own_cache / "bad.npz", a=np.array([{"an": "object"}], dtype=object))
    assert store.recall("datasets", "bad.npz") is None


def test_the_cache_key_follows_code_and_libraries(monkeypatch):
    key = store.recipe_key("data/people.py", packages=("pillow",))
    assert key == store.recipe_key("data/people.py", packages=("pillow",))
    assert key != store.recipe_key("data/icons.py", packages=("pillow",))
    monkeypatch.setattr(store.metadata, "version", lambda package: "0")
    assert key != store.recipe_key("data/people.py", packages=("pillow",))


# --- the fingerprint ---


@pytest.fixture(scope="module")
def sample():
    return np.stack([icons.draw_icon(code, 64) for code, _ in icons.catalogue()[::100]])


def test_a_fingerprint_forgives_rounding_and_notices_a_changed_drawing(sample):
    card = {"fingerprint": reference.fingerprint_of(sample), "made_with": {"x": "1"}}

    def compare(images):
        return reference.compare("icons", reference.fingerprint_of(images), card)

    assert compare(sample) == "identical"
    noise = np.random.default_rng(0).integers(-2, 3, sample.shape)
    assert compare(np.clip(sample + noise, 0, 255).astype(np.uint8)) == "alike"
    moved, swapped, marked = sample.copy(), sample.copy(), sample.copy()
    moved[3] = np.roll(moved[3], 2, axis=1)
    swapped[[0, 1]] = swapped[[1, 0]]
    marked[5, 30:34, 30:36] = (255, 0, 0)
    for changed in (moved, swapped, marked, sample[:-1]):
        with pytest.raises(DamagedFileError, match="x 1"):
            compare(changed)


def test_pictures_at_another_size_are_the_same_pictures():
    data = load_dataset("photos", image_size=64)
    small = data.resized(32)
    assert small.images.shape == (11, 32, 32, 3) and small.class_names == data.class_names
    np.testing.assert_array_equal(small.labels, data.labels)
    gap = small.images.mean(axis=(1, 2)) - data.images.mean(axis=(1, 2))
    assert abs(gap).max() < 3
    np.testing.assert_array_equal(data.resized(64).images, data.images)
    assert len(data.subset(np.zeros(11, bool)).resized(32)) == 0
    with pytest.raises(InputError, match="image_size"):
        data.resized(8)

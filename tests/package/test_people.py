"""Composed people: what is promised of the pictures, and how hard they are to tell apart."""

import os
import shutil

import numpy as np
import pytest

import tlkit
from tlkit.data import people as renderer
from tlkit.data import people_blocks
from tlkit.data.datasets import compose_people, load_dataset
from tlkit.errors import InputError

# The contract: labels to learn from, pictures to be tested on.
LABELS, TESTED = 60, 300


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"


@pytest.fixture(scope="module")
def people():
    """The pictures of the contract: images, labels, masks."""
    return compose_people(LABELS * 3 + TESTED, image_size=128, seed=0, masks=True)


def test_as_many_of_each_class_as_can_be_in_mixed_order():
    for n in (1, 2, 7, 100):
        labels = np.array([renderer.label_of(index, 0) for index in range(n)])
        assert abs((labels == 0).sum() - (labels == 1).sum()) <= 1
    assert 5 < np.diff(labels).astype(bool).sum() < 95
    alternating = labels[::2]
    assert 10 < alternating.sum() < 40  # not hat, sunglasses, hat, sunglasses ...


def test_a_picture_does_not_depend_on_how_many_are_asked_for(own_cache):
    few, _ = compose_people(3, image_size=32, seed=9)
    more, labels = compose_people(6, image_size=32, seed=9)
    assert (few == more[:3]).all()
    alone, label, _ = renderer.draw_person(4, 32, 9)
    assert (alone == more[4]).all() and label == labels[4]
    assert (compose_people(3, image_size=32, seed=10)[0] != few).any(axis=(1, 2, 3)).all()


def test_another_size_shows_the_same_people_drawn_anew():
    small, small_labels, small_masks = compose_people(12, image_size=64, seed=0, masks=True)
    large, labels, masks = compose_people(12, image_size=128, seed=0, masks=True)
    assert (small_labels == labels).all()
    halved = large.reshape(12, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    assert np.abs(halved - small).mean() < 12  # the same scene ...
    detail = np.abs(np.diff(large.astype(int), axis=2)).mean()
    enlarged = np.abs(np.diff(small.repeat(2, axis=2).astype(int), axis=2)).mean()
    # ... with more detail than the small one holds.
    assert detail > 1.2 * enlarged
    assert np.abs(masks.mean(axis=(1, 2)) - small_masks.mean(axis=(1, 2))).max() < 0.02


def test_every_accessory_is_visible_and_its_mask_is_its_own(people):
    images, labels, masks = people
    assert masks.dtype == bool and masks.shape == images.shape[:3]
    area = masks.mean(axis=(1, 2))
    assert area[labels == 0].min() > 0.003 and area[labels == 1].min() > 0.012
    assert np.median(area[labels == 1]) > 2 * np.median(area[labels == 0])
    assert area.max() < 0.5
    rows, columns = np.nonzero(masks[labels == 0][0])
    assert rows.max() - rows.min() < 64 and columns.max() - columns.min() < 110  # in one place


def test_the_mask_is_where_the_accessory_is():
    """Sunglasses are darker than what is around them in the same face, almost always."""
    images, labels, masks = compose_people(60, image_size=128, seed=0, masks=True)
    darker = 0
    for image, mask in zip(images[labels == 0], masks[labels == 0], strict=True):
        rows, columns = np.nonzero(mask)
        box = np.s_[rows.min() : rows.max() + 9, columns.min() : columns.max() + 1]
        inside, around = image[box][mask[box]], image[box][~mask[box]]
        darker += inside.mean() < around.mean()
    # Of 30; white frames and dark skin are the others.
    assert darker >= 20


@pytest.mark.parametrize("label", [0, 1])
def test_people_of_both_classes_are_alike_but_for_the_accessory(label):
    drawn = [renderer._cast(renderer._Dice(0, index, 5), label) for index in range(300)]
    assert {person.hat is not None for person in drawn} == {bool(label)}
    assert len({person.parts["top"] for person in drawn}) == len(renderer.HAIR)
    width = np.array([person.width for person in drawn]) * 128
    assert 60 <= width.min() < 66 and 144 < width.max() <= 150
    assert {person.tilt > 0 for person in drawn} == {True, False}
    assert max(abs(person.tilt) for person in drawn) <= 25
    if label == 1:
        wearing = np.mean([person.glasses != "NONE" for person in drawn])
        assert 0.3 < wearing < 0.5
    # Lots are drawn in the same order for both, so the same dice give the same person.
    other = [renderer._cast(renderer._Dice(0, index, 5), 1 - label) for index in range(300)]
    assert [person.parts for person in drawn] == [person.parts for person in other]
    assert [person.x for person in drawn] == [person.x for person in other]


def test_blocks_are_kept_and_grow(own_cache, monkeypatch):
    monkeypatch.setattr(people_blocks, "BLOCK", 4)
    images, labels, masks = compose_people(6, image_size=24, seed=1, masks=True)
    blocks = sorted(own_cache.iterdir())
    assert len(blocks) == 2
    # Or some would be drawn where none counts.
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    drawn = []
    draw = renderer.draw_person

    def counted(index, size, seed):
        drawn.append(index)
        return draw(index, size, seed)

    monkeypatch.setattr(renderer, "draw_person", counted)
    again = compose_people(6, image_size=24, seed=1, masks=True)
    assert not drawn
    for kept, made in zip(again, (images, labels, masks), strict=True):
        assert (kept == made).all() and kept.dtype == made.dtype
    compose_people(8, image_size=24, seed=1)
    assert drawn == [6, 7]  # only what was missing
    compose_people(5, image_size=24, seed=1)
    compose_people(8, image_size=24, seed=1)
    assert drawn == [6, 7]  # asking for fewer forgets nothing


def test_two_processes_draw_what_one_does(own_cache, monkeypatch):
    monkeypatch.setattr(people_blocks, "BLOCK", 6)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    alone = people_blocks.draw_people(20, 16, 3)
    shutil.rmtree(own_cache)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    together = people_blocks.draw_people(20, 16, 3)
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize(
    "arguments", [{"n": 0}, {"n": 1.5}, {"n": 2, "image_size": 4}, {"n": 2, "seed": -1}]
)
def test_wrong_questions_get_a_clear_error(arguments):
    with pytest.raises(InputError):
        compose_people(**arguments)


def test_load_dataset_gives_the_same_pictures():
    data = load_dataset("sunglasses-or-hat", n=10, image_size=64, seed=0)
    images, labels = compose_people(10, image_size=64, seed=0)
    assert (data.images == images).all() and (data.labels == labels).all()


# --- how hard it is ---


def logistic(features, labels, tested, answers, C=1.0):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=2000).fit(features, labels).score(tested, answers)


def test_no_simple_cue_gives_the_answer_away(people):
    images, labels, _ = people
    taught = len(images) - TESTED
    colour = images.mean(axis=(1, 2)) / 255
    coarse = images.reshape(len(images), 16, 8, 16, 8, 3).mean(axis=(2, 4)).reshape(len(images), -1)
    for cue in (colour, coarse / 255 - 0.5):
        accuracy = logistic(cue[:taught], labels[:taught], cue[taught:], labels[taught:], C=0.1)
        # Chance is 0.5; measured: 0.58 and 0.65.
        assert accuracy < 0.72


@pytest.fixture(scope="module")
def features(people):
    base = tlkit.load_backbone("efficientnet-lite0", image_size=128)
    return tlkit.extract_features(base, people[0], progress=False)


def test_frozen_features_reach_the_contract_and_beat_a_small_network(people, features):
    import keras

    images, labels, _ = people
    tested, answers = features[-TESTED:], labels[-TESTED:]
    lots = [np.s_[start : start + LABELS] for start in (0, LABELS, 2 * LABELS)]
    frozen = np.mean([logistic(features[lot], labels[lot], tested, answers) for lot in lots])
    assert frozen >= 0.85

    keras.utils.set_random_seed(0)
    layers = keras.layers
    network = keras.Sequential([layers.Input((128, 128, 3)), layers.Rescaling(1 / 127.5, -1)])
    for filters in (16, 32, 64, 64):
        network.add(layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dense(1))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(2e-3), loss)
    network.fit(images[lots[0]], labels[lots[0]], batch_size=20, epochs=40, verbose=0)
    logits = network.predict(images[-TESTED:], verbose=0)[:, 0]
    scratch = np.mean((logits > 0) == answers)
    assert frozen >= scratch + 0.15


def test_without_the_accessory_nobody_can_tell(people, features, monkeypatch):
    """The same people with hats and every kind of glasses taken off: features know nothing."""
    monkeypatch.setattr(renderer, "ENOUGH", {"sunglasses": -1, "hat": -1})
    cast = renderer._cast
    monkeypatch.setattr(renderer, "_cast", lambda dice, label: undress(cast(dice, label)))
    bare = np.stack([renderer.draw_person(index, 128, 0)[0] for index in range(160)])
    base = tlkit.load_backbone("efficientnet-lite0", image_size=128)
    seen = tlkit.extract_features(base, bare, progress=False)
    labels = people[1]
    taught = logistic(seen[:100], labels[:100], seen[100:], labels[100:160])
    assert taught < 0.68
    dressed = logistic(features[:100], labels[:100], features[100:160], labels[100:160])
    assert dressed > taught + 0.1


def undress(person):
    from dataclasses import replace

    return replace(person, glasses="NONE", hat=None)

"""The pictures, the network and the drawings of lesson 04b."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tlkit
from tlkit.errors import InputError
from tlkit.lessons import cases


def digits(n=20, classes=(3, 7), seed=0):
    rng = np.random.default_rng(seed)
    images = np.zeros((n, 28, 28, 3), np.uint8)
    images[:, 6:22, 8:20] = rng.integers(100, 256, (n, 16, 12, 1))
    labels = np.resize(classes, n)
    return tlkit.ImageDataset(images, labels, tuple("0123456789"), "digits")


# --- pictures ------------------------------------------------------------------------------------


def test_scattered_digits_are_whole_and_elsewhere():
    before = digits()
    after = cases.scatter_digits(before, seed=1, copies=2)
    assert after.images.shape == (40, 32, 32, 3)
    assert after.class_names == ("3", "7") and after.labels[:4].tolist() == [0, 0, 1, 1]
    ink = before.images.sum(axis=(1, 2, 3), dtype=int)
    np.testing.assert_array_equal(after.images.sum(axis=(1, 2, 3), dtype=int), ink.repeat(2))
    places = {tuple(np.argwhere(image[..., 0])[0]) for image in after.images}
    assert len(places) > 20


def test_digits_of_another_size_are_refused():
    small = replace(digits(), images=digits().images[:, :20])
    with pytest.raises(InputError, match="image_size=28"):
        cases.scatter_digits(small)
    with pytest.raises(InputError, match="copies"):
        cases.scatter_digits(digits(), copies=0)


def test_textures_tell_nothing_by_their_brightness_and_come_from_two_places():
    train, test = cases.texture_patches(50, seed=0), cases.texture_patches(50, seed=0, test=True)
    assert np.bincount(train.labels).tolist() == [10] * 5
    means = train.images.mean(axis=(1, 2, 3))
    # What cutting at 0 and 255 leaves.
    assert means.std() < 6
    assert not any((image == other).all() for image in train.images for other in test.images)
    again = cases.texture_patches(50, seed=0)
    np.testing.assert_array_equal(train.images, again.images)


def test_the_different_task_has_few_labels_or_many_and_one_test():
    few, test = cases.target_pictures(similar=False, seed=1)
    many, same = cases.target_pictures(similar=False, large=True, seed=2)
    assert (len(few), len(many)) == (cases.FEW, cases.MANY)
    np.testing.assert_array_equal(test.images, same.images)


@given(same=st.booleans(), seed=st.integers(0, 99), channels=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_shuffling_moves_pixels_and_changes_none(same, seed, channels):
    one = np.random.default_rng(seed).permutation(36).reshape(1, 6, 6, 1)
    images = np.repeat(np.repeat(one, channels, axis=-1), 2, axis=0)  # the same picture twice
    shuffled = cases.shuffle_pixels(images, seed, same)
    assert shuffled.shape == images.shape
    assert (np.sort(shuffled, axis=None) == np.sort(images, axis=None)).all()
    assert (shuffled == shuffled[..., :1]).all()  # a pixel's channels stay together
    assert (shuffled[0] == shuffled[1]).all() == same


def test_charts_hold_a_signal_only_if_it_is_planted():
    for signal in (True, False):
        charts, prices = cases.price_charts(600, signal, seed=3, image_size=16)
        assert charts.images.shape == (600, 16, 16, 3) and prices.shape == (600, 60)
        assert np.bincount(charts.labels).tolist() == [300, 300]
        rises = prices[:, -1] > prices[:, -13]
        right = (rises == charts.labels).mean()
        assert (right > 0.8) if signal else (0.4 < right < 0.6)


def test_the_chart_shows_the_price():
    charts, prices = cases.price_charts(20, image_size=64)
    for image, price in zip(charts.images[..., 0], prices, strict=True):
        dark = image[:, 62].argmin(), image[:, 2].argmin()  # the last day, the first
        assert abs(price[-1] - price[0]) < 1 or (dark[0] < dark[1]) == (price[-1] > price[0])


def test_the_fourth_channel_holds_what_the_colours_lack():
    seen = cases.camera_pictures(digits(200), depth=True).astype(float)
    plain = cases.camera_pictures(digits(200)).astype(float)
    shape = cases.scatter_digits(digits(200)).images[..., 0] > 90
    assert plain.shape[-1] == 3 and seen.shape[-1] == 4

    def apart(channel):
        flat = channel - np.median(channel, axis=(1, 2), keepdims=True)
        return np.mean([abs(f[s].mean() - f[~s].mean()) for f, s in zip(flat, shape, strict=True)])

    assert apart(plain[..., 0]) > 25
    assert apart(seen[..., 0]) < 8 < 15 < apart(seen[..., 3])


# --- networks ------------------------------------------------------------------------------------


def test_the_demonstration_network_has_the_layers_that_are_drawn():
    network = cases.demonstration_network(3, image_size=16, channels=4)
    named = [layer.name for layer in network.layers if layer.weights]
    assert named == list(cases.LAYERS)
    assert network.output_shape == (None, 3) and network.input_shape == (None, 16, 16, 4)
    same, other = (cases.demonstration_network(3, 16, 4, seed=s).get_weights() for s in (0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), same, strict=True))
    assert not np.array_equal(same[0], other[0])


def test_a_decoder_uses_the_maps_of_every_depth():
    rng = np.random.default_rng(0)
    large, small = (rng.normal(size=(2, n, n, 3)).astype("float32") for n in (8, 2))
    decoder = cases.mask_decoder([(8, 8, 3), (2, 2, 3)], 16, width=4)
    mask = np.asarray(decoder([large, small]))
    assert mask.shape == (2, 16, 16, 1)
    for other in ([-large, small], [large, -small]):
        assert not np.allclose(mask, np.asarray(decoder(other)))
    again = cases.mask_decoder([(8, 8, 3), (2, 2, 3)], 16, width=4)
    np.testing.assert_array_equal(mask, np.asarray(again([large, small])))


@pytest.mark.parametrize("maps", [[], [(8, 8, 3), (3, 3, 4)], [(5, 5, 2)], [(2, 2, 4), (8, 8, 3)]])
def test_maps_that_do_not_follow_on_one_another_are_refused(maps):
    with pytest.raises(InputError, match="largest to the smallest"):
        cases.mask_decoder(maps, 16)


def test_intersection_over_union_by_hand():
    one = np.zeros((3, 2, 2), bool)
    other = one.copy()
    one[0, 0] = True  # two pixels
    other[0, :, 0] = True  # two, one of them shared
    one[1] = other[1] = True
    assert cases.intersection_over_union(one, other).tolist() == [1 / 3, 1.0, 1.0]


@given(seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_intersection_over_union_is_symmetric_and_one_only_for_equals(seed):
    one, other = np.random.default_rng(seed).random((2, 1, 3, 3)) < 0.5
    overlap = cases.intersection_over_union(one, other)
    assert overlap == cases.intersection_over_union(other, one) and 0 <= overlap <= 1
    assert (overlap == 1) == (one == other).all()


def test_numbers_are_no_masks():
    with pytest.raises(InputError, match="truth values"):
        cases.intersection_over_union(np.zeros((1, 2, 2)), np.zeros((1, 2, 2), bool))
    with pytest.raises(InputError, match="do not fit"):
        cases.intersection_over_union(np.zeros((1, 2, 2), bool), np.zeros((2, 2, 2), bool))


# --- drawings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "task"), cases.RULE)
def test_every_case_is_drawn_and_said_in_words(size, task):
    figure = cases.draw_case(size, task)
    for strategy in cases.RULE[size, task]:
        assert strategy in figure.alt
    assert len(figure.axes) == len(cases.RULE[size, task])
    assert ("kept, frozen" in figure.alt) == (size == "few")
    assert ("left out" in figure.alt) == ((size, task) == ("few", "different"))


def test_unknown_cases_and_strategies_are_refused():
    with pytest.raises(InputError, match="'similar', 'different'"):
        cases.draw_case("few", "alike")
    with pytest.raises(InputError, match="last features"):
        cases.draw_strategies(["pray"], "no case")
    with pytest.raises(InputError, match="last features"):
        cases.draw_strategies([], "no case")


def test_the_map_names_the_winner_but_never_a_control():
    scores = [[0.6, 0.8], [0.7, 0.5], [0.9, 0.9]]
    figure = cases.case_map(
        scores, ["probe", "scratch"], ["few", "many"], {"few": ["probe"]}, ["random"]
    )
    assert figure.alt == ("few: advised probe, best scratch with 70%; many: best probe with 80%")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in texts if text.startswith("★")] == ["★ 80.0%", "★ 70.0%"]


def test_a_map_with_advice_that_fits_nothing_is_refused():
    with pytest.raises(InputError, match="fits no case"):
        cases.case_map([[0.5]], ["probe"], ["few"], {"few": ["other"]})
    with pytest.raises(InputError, match="shape"):
        cases.case_map([[0.5]], ["probe", "scratch"], ["few"], {})

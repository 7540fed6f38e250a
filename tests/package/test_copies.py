"""What is a copy of a picture, and what only looks like it."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import shift

import tlkit
from tlkit.data.copies import copies_of_known, find_copies, fingerprints

SIZE = 96


@pytest.fixture(scope="module")
def photos():
    return tlkit.load_dataset("photos", image_size=SIZE).images


def saved(image, size=SIZE, **options):
    """A picture scaled, saved and read again."""
    file = io.BytesIO()
    Image.fromarray(image).resize((size, size), Image.LANCZOS).save(file, **options)
    return np.asarray(Image.open(file).convert("RGB").resize((SIZE, SIZE), Image.LANCZOS))


def found(originals, others):
    """How many of the others are known as copies of the right original."""
    copies = find_copies(np.concatenate([originals, others]))
    many = len(originals)
    assert (copies.of[:many] == np.arange(many)).all()
    return (copies.of[many:] == np.arange(many)).sum()


def test_different_photographs_are_no_copies(photos):
    assert (find_copies(photos).of == np.arange(11)).all()


@pytest.mark.parametrize(
    ("how", "least"),
    [
        ({"format": "PNG"}, 11),
        ({"format": "JPEG", "quality": 95}, 11),
        ({"format": "JPEG", "quality": 75}, 11),
        ({"format": "JPEG", "quality": 50}, 10),
        ({"format": "JPEG", "quality": 30}, 8),
        ({"format": "WEBP", "quality": 50}, 10),
        ({"format": "PNG", "size": 72}, 10),
        ({"format": "JPEG", "quality": 75, "size": 72}, 9),
        ({"format": "PNG", "size": 200}, 11),
    ],
    ids=str,
)
def test_copies_are_known_when_saved_or_scaled(photos, how, least):
    assert found(photos, np.stack([saved(image, **how) for image in photos])) >= least


def test_mirrored_copies_are_known_and_named(photos):
    mirrored = np.stack([saved(image[:, ::-1], format="JPEG", quality=80) for image in photos])
    assert found(photos, mirrored) >= 10
    copies = find_copies(np.concatenate([photos, mirrored]))
    assert (copies.mirrored == (copies.of != np.arange(22))).all()


@pytest.mark.parametrize("by", [1, 3])
def test_the_next_of_a_burst_is_no_copy(photos, by):
    moved = np.stack([np.roll(image, (by, -by), axis=(0, 1)) for image in photos])
    assert found(photos, moved) == 0


def test_a_closer_view_is_no_copy(photos):
    box = (2, 2, SIZE - 2, SIZE - 2)
    closer = [np.asarray(Image.fromarray(each).resize((SIZE, SIZE), box=box)) for each in photos]
    assert found(photos, np.stack(closer)) == 0


def part(light=0.0, move=0.0, counts=(30, 20), seed=0):
    """The same part under the same camera; the second class is scratched, elsewhere each time."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:160, :160]
    clean = 90.0 + 60 * ((y - 80) ** 2 + (x - 80) ** 2 < 50**2) + 20 * np.sin(x / 9)
    pictures = []
    for number in range(sum(counts)):
        picture = clean.copy()
        if number >= counts[0]:
            row, column = random.integers(50, 100, 2)
            picture[row : row + 3, column : column + 20] = 20
        picture = shift(picture, random.uniform(-move, move, 2), order=1, mode="nearest")
        picture = picture * (1 + random.normal(0, light)) + random.normal(0, 5, picture.shape)
        pictures.append(np.repeat(picture.clip(0, 255)[..., None], 3, axis=2).astype("uint8"))
    return np.stack(pictures)


@pytest.mark.parametrize(("light", "move"), [(0, 0), (0.01, 1), (0.03, 3)])
def test_pictures_of_one_part_under_one_camera_are_no_copies(light, move):
    pictures = part(light, move)
    assert (find_copies(pictures).of == np.arange(50)).all()
    assert (copies_of_known(pictures[25:], fingerprints(pictures[:25])).of == -1).all()


def test_a_scratch_tells_pictures_apart_that_have_no_noise_at_all():
    clean = np.full((160, 160, 3), 120, np.uint8)
    clean[40:120, 40:120] = 160
    scratched = clean.copy()
    scratched[80:83, 60:80] = 60
    assert find_copies(np.stack([clean, scratched, clean])).of.tolist() == [0, 1, 0]


def test_copies_make_no_chains():
    """Each step fades a little; what has faded too much for the first is a picture of its own."""
    random = np.random.default_rng(0)
    one, other = random.integers(0, 256, (2, 64, 64, 3))
    steps = [one + (other - one) * share for share in np.linspace(0, 0.6, 13)]
    copies = find_copies(np.stack(steps).astype("uint8")).of
    assert copies[1] == 0 and len(set(copies.tolist())) > 2
    assert all(copies[first] == first for first in copies)


def test_other_colours_of_the_same_brightness_are_no_copies():
    random = np.random.default_rng(0)
    grey = random.integers(60, 200, (64, 64, 1))
    tints = np.array([[40, 0, -114]]), np.array([[-40, 20.4, 0]])
    pictures = np.stack([np.clip(grey + tint, 0, 255) for tint in tints]).astype("uint8")
    assert find_copies(pictures).of.tolist() == [0, 1]


def test_plain_pictures_are_copies_only_in_the_same_colour():
    plain = [np.full((32, 32, 3), colour, np.uint8) for colour in (0, 128, 128, 255)]
    assert find_copies(np.stack(plain)).of.tolist() == [0, 1, 1, 3]


def test_known_pictures_are_recognised_by_their_fingerprints(photos):
    known = fingerprints(photos)
    again = np.stack([saved(image, format="JPEG", quality=75) for image in photos[::-1]])
    copies = copies_of_known(again, known)
    assert (copies.of == np.arange(11)[::-1]).sum() >= 10 and not copies.mirrored.any()
    mirrored = copies_of_known(photos[:, :, ::-1], known)
    assert (mirrored.of == np.arange(11)).all() and mirrored.mirrored.all()
    people = tlkit.load_dataset("sunglasses-or-hat", 20, SIZE).images
    assert (copies_of_known(people, known).of == -1).all()


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 6), st.sampled_from([(16, 16), (17, 40), (64, 31)]), st.integers(0, 2**32 - 1)
)
def test_any_pictures_are_their_own_first_ones(many, shape, seed):
    images = np.random.default_rng(seed).integers(0, 256, (many, *shape, 3)).astype("uint8")
    twice = np.concatenate([images, images])
    assert find_copies(images).of.tolist() == list(range(many))
    assert find_copies(twice).of.tolist() == [*range(many), *range(many)]
    assert copies_of_known(images, fingerprints(images)).of.tolist() == list(range(many))

"""What is recommended from the labels alone, for any number of classes however uneven."""

import numpy as np
import pytest

import tlkit
from tlkit.errors import InputError
from tlkit.workshop import recommendation


@pytest.fixture
def features(monkeypatch):
    """Features that tell the classes apart as well as a test wants, instead of a network's."""
    strength = {}

    def read(images, seed):
        # The test writes the labels there.
        signal = np.eye(4)[images[:, 0, 0, 0]]
        random = np.random.default_rng(seed)
        return {
            name: way * signal + random.normal(size=signal.shape) for name, way in strength.items()
        }

    monkeypatch.setattr(recommendation, "read_features", read)

    def give(early, middle, end, random=0.0):
        depths = zip(recommendation.LAYERS, (early, middle, end), strict=True)
        strength.update({f"pretrained, {layer}": way for layer, way in depths})
        strength.update({f"random, {layer}": random for layer in recommendation.CONTROLS})

    return give


def labelled(n, classes=2):
    images = np.zeros((n, 32, 32, 3), "uint8")
    images[:, 0, 0, 0] = np.arange(n) % classes
    return tlkit.ImageDataset(images, np.arange(n) % classes, tuple("abcd"[:classes]))


def zeros(height, width):
    images = np.zeros((8, height, width, 3), "uint8")
    return tlkit.ImageDataset(images, np.arange(8) % 2, ("a", "b"))


@pytest.mark.parametrize(
    ("strengths", "n", "strategy", "layer", "similarity"),
    [
        ((0, 0.5, 2), 200, "fine-tune", "features", "similar"),
        ((0, 2, 0.5), 200, "fine-tune", "block_12", "different"),
        ((1, 9, 9), 200, "features", "features", "similar"),
        ((0, 0, 0), 200, "from scratch", "features", "unknown"),
        ((2, 2, 2, 2.5), 200, "from scratch", "features", "unknown"),
        ((0, 1, 4), 12, "features", "features", "similar"),
        ((0, 4, 1), 98, "features", "block_12", "different"),
        ((9, 1, 4), 98, "features", "features", "similar"),
    ],
)
def test_the_evidence_leads_to_the_strategy(features, strengths, n, strategy, layer, similarity):
    features(*strengths)
    found = tlkit.recommend(labelled(n))
    assert (found.strategy, found.layer, found.similarity) == (strategy, layer, similarity)
    assert (found.labels, found.fewest) == (n, n // 2)


def test_small_photographs_are_to_be_read_at_a_larger_size(features):
    features(0, 1, 3)
    [said] = [each for each in tlkit.recommend(labelled(200)).reasons if "photographs" in each]
    assert "read them at 224 pixels" in said
    images = np.zeros((20, 224, 224, 3), "uint8")
    images[:, 0, 0, 0] = np.arange(20) % 2
    large = tlkit.ImageDataset(images, np.arange(20) % 2, ("a", "b"))
    assert "photographs" not in str(tlkit.recommend(large))


def test_a_recommendation_prints_its_evidence(features):
    features(0, 1, 3)
    found = tlkit.recommend(labelled(501, classes=3))
    said = repr(found)
    assert said.startswith("Recommended: ") and "501 labels, 167 in the smallest class" in said
    assert all(f"{name} " in said and str(value) in said for name, value in found.scores.items())
    assert {value.n for value in found.scores.values()} == {recommendation.AT_MOST}
    assert set(found.scores) == {
        "pretrained, block_05",
        "pretrained, block_12",
        "pretrained, features",
        "random, block_05",
        "random, features",
    }


@pytest.mark.parametrize("counts", [[2] * 201, [800, 3]])
def test_many_classes_and_rare_ones_are_measured_too(counts, monkeypatch):
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.zeros((len(labels), 32, 32, 3), "uint8")
    images[..., :2] = np.stack(np.divmod(labels, 256), axis=-1)[:, None, None]
    names = tuple(f"c{number}" for number in range(len(counts)))
    data = tlkit.ImageDataset(images, labels, names)
    signs = np.random.default_rng(0).normal(size=(len(counts), 8))

    def read(images, _seed):
        found = signs[images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 0, 1]]
        layers = [("pretrained", "block_12"), ("pretrained", "features"), ("random", "features")]
        return {f"{kind}, {layer}": found for kind, layer in layers}

    monkeypatch.setattr(recommendation, "read_features", read)
    found = tlkit.recommend(data)
    assert (found.labels, found.fewest) == (len(labels), min(counts))
    assert found.scores["pretrained, features"].n == max(400, min(5 * len(counts), len(labels)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zeros(24, 24), "square"),
        (zeros(64, 32), "32×64"),
        (labelled(2), "Two classes"),
        (labelled(8, classes=1), "Two classes"),
    ],
)
def test_what_cannot_be_measured_is_refused(data, said):
    with pytest.raises(InputError, match=said):
        tlkit.recommend(data)

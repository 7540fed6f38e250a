"""A workshop that trains in seconds: a tiny network in the place of the pretrained one."""

import pytest

from tests.package.tiny_workshop import pictures, tiny_backbone
from tlkit.networks import backbones
from tlkit.workshop import search, strategies, train_classifier


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """The workshop loads the tiny network, and has a cache of its own."""
    monkeypatch.setattr(backbones, "load_backbone", tiny_backbone)
    monkeypatch.setattr(strategies, "FROM_LAYER", "features")
    monkeypatch.setattr(search, "MIDDLE", "stem")
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="package")
def classifier():
    """A classifier that was trained on the tiny network's features."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbones, "load_backbone", tiny_backbone)
        return train_classifier(pictures(), "features")

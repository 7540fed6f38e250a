"""HEIC, as many telephones write it, with the package that reads it."""

import numpy as np
import pytest
from PIL import Image

from tests.package.tiny_workshop import pictures
from tlkit.data import load_folder, read_pictures

pillow_heif = pytest.importorskip("pillow_heif")


def test_heic_is_read_as_other_pictures_are(tmp_path):
    data = pictures((3, 3), size=64)
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        place = tmp_path / data.class_names[label]
        place.mkdir(exist_ok=True)
        pillow_heif.from_pillow(Image.fromarray(image)).save(place / f"{number}.heic", quality=95)
    loaded = load_folder(tmp_path, image_size=64)
    assert len(loaded) == 6 and not loaded.skipped
    alone = read_pictures(tmp_path / "red" / "0.heic", 64)[0]
    assert np.abs(alone.astype(int) - data.images[0]).mean() < 12

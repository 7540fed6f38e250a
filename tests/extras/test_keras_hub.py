"""KerasHub's networks of pictures as backbones, small and with random weights."""

import numpy as np
import pytest
from keras import layers

import tlkit
from tests.package.tiny_workshop import SIZE, pictures
from tlkit.keras_tools import find_layer, seeded

hub = pytest.importorskip("keras_hub")
DATA = pictures((8, 8))


def resnet():
    return hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(SIZE, SIZE, 3),
    )


def vision_transformer():
    return hub.models.ViTBackbone(
        image_shape=(SIZE, SIZE, 3),
        patch_size=8,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=32,
    )


@pytest.mark.parametrize("make", [resnet, vision_transformer])
def test_networks_of_keras_hub(make):
    with seeded(0):
        model = make()
    scale = layers.Rescaling(1 / 255)
    base = tlkit.load_backbone(model=model, preprocess=scale, image_size=SIZE)
    plain = np.asarray(model(DATA.images / np.float32(255), training=False))
    expected = plain.reshape(len(plain), -1, plain.shape[-1]).mean(axis=1)
    features = tlkit.extract_features(base, DATA.images, cache=False)
    np.testing.assert_allclose(features, expected, rtol=2e-3, atol=2e-4)
    assert find_layer(base, model.layers[1].name) is model.layers[1]
    classifier = tlkit.attach_head(base, tlkit.fit_linear_head(features, DATA.labels))
    tuned = tlkit.fine_tune(classifier, DATA, DATA, epochs=1, progress=False)
    assert tuned.model.predict(DATA.images, verbose=0).shape == (16, 2)

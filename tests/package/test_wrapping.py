"""Any Keras network as a backbone: the rest of tlkit works on it."""

import keras
import numpy as np
import pytest
from keras import layers

import tlkit
from tests.package.tiny_workshop import SIZE, pictures, tiny_backbone
from tlkit.errors import DamagedFileError, InputError, MissingFileError
from tlkit.heads import attach_head
from tlkit.keras_tools import seeded

DATA = pictures((8, 8))


def application():
    with seeded(0):
        network = keras.applications.MobileNetV3Small
        return network(
            (SIZE, SIZE, 3), include_top=False, weights=None, include_preprocessing=False
        )


def own(end="maps", side=None):
    """Of open size, with batch norm that has something to remember."""
    with seeded(0):
        inputs = keras.Input((side, side, 3))
        x = layers.Conv2D(6, 3, 2, use_bias=False, name="first")(inputs)
        x = layers.BatchNormalization(name="bn", moving_mean_initializer="random_normal")(x)
        x = layers.ReLU(name="last")(x)
        if end == "vector":
            x = layers.GlobalAveragePooling2D()(x)
        if end == "tokens":
            x = layers.Reshape((-1, 6))(x)
        return keras.Model(inputs, x, name="own")


@keras.saving.register_keras_serializable("tests")
class Doubled(layers.Layer):
    def call(self, inputs):
        return 2 * inputs


def of_own_code():
    inputs = keras.Input((SIZE, SIZE, 3))
    return keras.Model(inputs, layers.Conv2D(4, 3, name="end")(Doubled(name="twice")(inputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Conv2D(4, 3, name="inner")

    def call(self, inputs):
        return self.inner(inputs)


def subclassed():
    model = Subclassed()
    model(np.zeros((1, SIZE, SIZE, 3), "float32"))
    return model


@pytest.mark.parametrize("make", [application, own, of_own_code, subclassed])
def test_the_rest_works_on_any_network(make):
    model = make()
    base = tlkit.load_backbone(
        model=model, preprocess=layers.Rescaling(1 / 127.5, offset=-1), image_size=SIZE
    )
    expected = np.asarray(model(DATA.images / 127.5 - 1, training=False)).mean(axis=(1, 2))
    features = tlkit.extract_features(base, DATA.images, cache=False)
    np.testing.assert_allclose(features, expected, rtol=2e-3, atol=2e-4)
    classifier = attach_head(base, tlkit.fit_linear_head(features, DATA.labels))
    tuned = tlkit.fine_tune(classifier, DATA, DATA, epochs=1, progress=False)
    assert tuned.model.predict(DATA.images, verbose=0).shape == (16, 2)


@pytest.mark.parametrize("end", ["maps", "vector", "tokens"])
def test_maps_tokens_and_vectors_all_become_maps(end):
    base = tlkit.load_backbone(model=own(end), image_size=SIZE)
    assert len(base.output_shape) == 4 and base.output_shape[-1] == 6
    plain = own()(DATA.images.astype("float32"), training=False)
    features = tlkit.extract_features(base, DATA.images, cache=False)
    np.testing.assert_allclose(features, np.asarray(plain).mean(axis=(1, 2)), rtol=1e-3, atol=1e-3)


def test_layers_are_found_by_name_whether_the_network_was_made_flat_or_not():
    flat = tlkit.load_backbone(model=own(), image_size=SIZE)
    assert {"first", "bn", "last"} <= {layer.name for layer in flat.layers}
    assert tlkit.extract_features(flat, DATA.images, layer="first", cache=False).shape == (16, 6)
    nested = tlkit.load_backbone(model=of_own_code(), image_size=SIZE)
    assert tlkit.extract_features(nested, DATA.images, layer="twice", cache=False).shape == (16, 3)
    tlkit.unfreeze(nested, from_layer="end", quiet=True)
    assert len(nested.trainable_weights) == 2


def test_a_file_of_a_model(tmp_path):
    own(side=SIZE).save(tmp_path / "own.keras")
    base = tlkit.load_backbone(model=str(tmp_path / "own.keras"), image_size=SIZE)
    same = tlkit.load_backbone(model=own(side=SIZE), image_size=SIZE)
    images = DATA.images.astype("float32")
    np.testing.assert_allclose(base(images), same(images), rtol=1e-5)


def test_a_file_that_holds_code_is_not_run(tmp_path):
    inputs = keras.Input((SIZE, SIZE, 3))
    keras.Model(inputs, layers.Lambda(lambda x: x + 1)(inputs)).save(tmp_path / "code.keras")
    with pytest.raises(DamagedFileError, match="if you trust it"):
        tlkit.load_backbone(model=tmp_path / "code.keras", image_size=SIZE)
    (tmp_path / "no.keras").write_text("no model")
    with pytest.raises(DamagedFileError, match="cannot be read as a model"):
        tlkit.load_backbone(model=tmp_path / "no.keras", image_size=SIZE)
    with pytest.raises(MissingFileError):
        tlkit.load_backbone(model=tmp_path / "none.keras", image_size=SIZE)


def two_inputs():
    inputs = [keras.Input((SIZE, SIZE, 3)), keras.Input((2,))]
    return keras.Model(inputs, inputs[0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": own(side=64)}, "64×64 pixels. Say image_size=64"),
        ({"model": two_inputs()}, "not pictures"),
        ({"model": keras.Sequential()}, "not a Keras model with its weights"),
        ({"model": tiny_backbone}, "function is not a Keras model"),
        ({"model": own(), "preprocess": "rescale"}, "`preprocess` is 'rescale'"),
        ({"model": own(), "preprocess": lambda x: x[..., :1]}, "`preprocess` makes"),
        ({"model": own(), "preprocess": np.asarray}, "cannot be built"),
        ({"preprocess": layers.Rescaling(1 / 255)}, "belongs to a `model`"),
    ],
)
def test_what_does_not_fit_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        tlkit.load_backbone(image_size=SIZE, **options)

import gc
import os
import stat
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

import tlkit
from tlkit import features as module
from tlkit.errors import InputError
from tlkit.networks.folding import fold_batch_norm

SIZE = 32


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


@pytest.fixture(scope="module")
def base():
    return tlkit.load_backbone("efficientnet-lite0", image_size=SIZE)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3)).astype("uint8")


def no_forward(monkeypatch):
    """From here on, features can only come from the cache."""

    def refuse(*_arguments):
        raise AssertionError("the network ran")

    monkeypatch.setattr(module, "_compile", refuse)


@pytest.mark.parametrize(
    "layer", ["stem_conv", "stem_bn", "stem", "block_00", "block_12", "block_12_depthwise_bn"]
)
def test_any_layer_pooled_or_as_maps(base, images, layer):
    part = keras.Model(base.inputs, base.get_layer(layer).output)
    expected = part.predict(images, verbose=0)
    maps = tlkit.extract_features(base, images, layer=layer, pooled=False)
    pooled = tlkit.extract_features(base, images, layer=layer)
    assert maps.shape == expected.shape
    np.testing.assert_allclose(maps, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(pooled, maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)


def test_logits_have_nothing_to_pool(images):
    model = tlkit.load_backbone(image_size=SIZE, classifier=True)
    assert tlkit.extract_features(model, images).shape == (5, 1000)


def test_batches_never_run_at_once(base, images, monkeypatch):
    """TensorFlow's oneDNN layers may then mix up the summands of their residual connections."""
    running, compiled = threading.Lock(), module._compile

    def watched(*arguments):
        forward = compiled(*arguments)

        def alone(pictures):
            assert running.acquire(blocking=False), "another batch is running"
            try:
                time.sleep(0.02)
                return forward(pictures)
            finally:
                running.release()

        return alone

    monkeypatch.setattr(module, "_compile", watched)
    expected = tlkit.extract_features(base, images, batch_size=1, cache=False)
    with ThreadPoolExecutor(2) as callers:
        calls = [
            callers.submit(tlkit.extract_features, base, images, batch_size=1, cache=False)
            for _ in range(2)
        ]
        for call in calls:
            np.testing.assert_array_equal(call.result(), expected)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_batch_size_changes_nothing(base, images, batch_size):
    one = tlkit.extract_features(base, images, batch_size=batch_size, cache=False)
    np.testing.assert_allclose(one, tlkit.extract_features(base, images), rtol=1e-3, atol=1e-4)


def test_floats_of_the_same_range_give_the_same(base, images):
    floats = tlkit.extract_features(base, images.astype("float64"))
    np.testing.assert_array_equal(floats, tlkit.extract_features(base, images))


def test_second_call_reads_what_the_first_kept(base, images, monkeypatch):
    first = tlkit.extract_features(base, images)
    no_forward(monkeypatch)
    np.testing.assert_array_equal(tlkit.extract_features(base, images), first)


def test_key_is_content_not_name(base, images, monkeypatch):
    first = tlkit.extract_features(base, images)
    twin = tlkit.load_backbone("efficientnet-lite0", image_size=SIZE)
    no_forward(monkeypatch)
    np.testing.assert_array_equal(tlkit.extract_features(twin, images.copy()), first)


def test_any_change_is_noticed(base, images):
    first = tlkit.extract_features(base, images)
    changed = images.copy()
    changed[0, 0, 0, 0] ^= 64
    assert not np.array_equal(tlkit.extract_features(base, changed), first)
    untrained = tlkit.load_backbone(image_size=SIZE, weights=None)
    assert not np.array_equal(tlkit.extract_features(untrained, images), first)
    assert tlkit.extract_features(base, images, layer="stem").shape != first.shape


def test_weights_changed_in_place_are_noticed(images):
    model = tlkit.load_backbone(image_size=SIZE)
    first = tlkit.extract_features(model, images)
    kernel = model.get_layer("features_conv").kernel
    kernel.assign(kernel * 1.5)
    assert not np.allclose(tlkit.extract_features(model, images), first)


def test_activation_is_part_of_what_the_network_is(images):
    def network(activation):
        layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Conv2D(4, 3, activation=activation)]
        model = keras.Sequential(layers)
        model.set_weights([np.full(weight.shape, -0.1) for weight in model.weights])
        return model

    relu, tanh = (tlkit.extract_features(network(kind), images) for kind in ("relu", "tanh"))
    assert not np.allclose(relu, tanh)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", None])
def test_damaged_entries_are_made_anew(base, images, own_cache, damage):
    first = tlkit.extract_features(base, images)
    (entry,) = own_cache.iterdir()
    content = entry.read_bytes()
    if damage is None:  # one flipped bit among the numbers
        middle = len(content) // 2
        damage = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    entry.write_bytes(damage)
    np.testing.assert_array_equal(tlkit.extract_features(base, images), first)
    assert entry.read_bytes() != damage


@pytest.mark.skipif(os.name == "nt", reason="Windows folders have no write bit")
def test_read_only_cache_is_used_and_not_missed(base, images, own_cache, monkeypatch):
    first = tlkit.extract_features(base, images)
    before = sorted(own_cache.iterdir())
    # Root may write anywhere, so the folder's mode alone proves nothing.
    monkeypatch.setattr(
        "tlkit.paths.tempfile.mkstemp", lambda **_: (_ for _ in ()).throw(PermissionError())
    )
    own_cache.chmod(stat.S_IRUSR | stat.S_IXUSR)
    np.testing.assert_array_equal(tlkit.extract_features(base, images), first)
    assert tlkit.extract_features(base, images[:2]).shape == (2, 1280)
    own_cache.chmod(stat.S_IRWXU)
    assert sorted(own_cache.iterdir()) == before


def test_cache_false_keeps_nothing(base, images, own_cache):
    tlkit.extract_features(base, images, cache=False)
    assert not own_cache.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(lambda x: x / 255, "scaled already"), (lambda x: x[:, :16], "32×16 pixels")],
)
def test_pictures_that_are_not_raw_or_of_another_size_are_refused(base, images, wrong, said):
    with pytest.raises(InputError, match=said):
        tlkit.extract_features(base, wrong(images))


def test_unknown_layer_suggests_near_ones(base, images):
    with pytest.raises(InputError, match="block_12"):
        tlkit.extract_features(base, images, layer="blok_12")


@pytest.mark.parametrize("batch_size", [0, 2.5])
def test_batch_size_must_be_a_number_of_pictures(base, images, batch_size):
    with pytest.raises(InputError, match="batch_size"):
        tlkit.extract_features(base, images, batch_size=batch_size)


def test_what_is_not_a_model_is_refused(images):
    with pytest.raises(InputError, match="function"):
        tlkit.extract_features(lambda x: x, images)


def test_progress_is_told_when_asked(base, images, capsys):
    tlkit.extract_features(base, images, batch_size=1, cache=False, progress=True)
    assert "Extracting features: 100%" in capsys.readouterr().err
    tlkit.extract_features(base, images, cache=False, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50", "InceptionV3"])
def test_folding_changes_no_output(name):
    """With batch-norm statistics that matter, as after training."""
    rng = np.random.default_rng(0)
    model = tlkit.load_backbone(name, image_size=96, weights=None)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    pictures = rng.integers(0, 256, (2, 96, 96, 3)).astype("float32")
    expected = np.asarray(model(pictures))
    folded = fold_batch_norm(model)
    np.testing.assert_allclose(
        np.asarray(folded(pictures)), expected, atol=1e-4 * np.abs(expected).max()
    )
    assert [layer.name for layer in folded.layers] == [layer.name for layer in model.layers]


def test_folding_leaves_alone_what_is_read_twice():
    inputs = keras.Input((8, 8, 3))
    conv = keras.layers.Conv2D(4, 3, padding="same", name="conv")(inputs)
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="bn")(conv) + conv)
    model.get_layer("bn").set_weights([np.full(4, value) for value in (2.0, 1.0, 0.5, 4.0)])
    pictures = np.random.default_rng(0).random((2, 8, 8, 3), "float32")
    folded = fold_batch_norm(model)
    assert isinstance(folded.get_layer("bn"), keras.layers.BatchNormalization)
    np.testing.assert_allclose(folded(pictures), model(pictures), rtol=1e-5)


def test_layers_with_dice_of_their_own_are_frozen_too():
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.RandomFlip(seed=0),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=0),
        ]
    )
    pictures = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3)).astype("uint8")
    ours = tlkit.extract_features(model, pictures, pooled=False, cache=False)
    np.testing.assert_allclose(ours, model.predict(pictures, verbose=0), rtol=1e-4, atol=1e-3)


def test_models_are_not_kept_alive():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    tlkit.extract_features(model, np.zeros((1, 8, 8, 3), "uint8"), cache=False)
    gone = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert gone() is None


# --- what is inside, and what is somebody's own ------------------------------------------------


def test_layers_inside_a_nested_model_are_read_too(base, images):
    parts = [keras.Input((SIZE, SIZE, 3)), base, keras.layers.GlobalAveragePooling2D()]
    nested = keras.Sequential([*parts, keras.layers.Dense(3)])
    inside = tlkit.extract_features(nested, images, layer="block_05")
    flat = tlkit.extract_features(base, images, layer="block_05")
    np.testing.assert_allclose(inside, flat, rtol=1e-3, atol=1e-3)
    whole, logits = module.read_layers(nested, images, [base.name, None])
    assert logits.shape == (5, 3)
    np.testing.assert_allclose(whole, tlkit.extract_features(base, images), rtol=1e-3, atol=1e-3)


def test_several_layers_take_one_pass(base, images, monkeypatch):
    alone = [tlkit.extract_features(base, images, layer=name) for name in ("stem", None)]
    passes, run = [], module._run
    monkeypatch.setattr(module, "_run", lambda *given: passes.append(1) or run(*given))
    together = module.read_layers(base, images, ["stem", None])
    assert len(passes) == 1
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def small(first=None, **conv):
    layers = [first or keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(4, 3, **conv)]
    end = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, "softmax")]
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers, *end])


def as_keras_says(model, images):
    expected = np.asarray(model(images.astype("float32")))
    for cache in (True, False):
        found = tlkit.extract_features(model, images, cache=cache)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_model_changed_in_place_is_read_as_it_is_now(images):
    model = small()
    as_keras_says(model, images)
    model.layers[-1].activation = keras.activations.linear
    as_keras_says(model, images)
    model.layers[0].scale = 1 / 25
    as_keras_says(model, images)
    model.pop()
    as_keras_says(model, images)
    model.add(keras.layers.Dense(7))
    as_keras_says(model, images)


def test_what_somebody_wrote_is_never_mistaken_for_what_it_was(images):
    def own(factor):
        class Own(keras.layers.Layer):
            def call(self, x):
                return x * factor

        return Own(name="own")

    first = small(own(0.1))
    as_keras_says(first, images)
    second = small(own(-0.1))
    second.set_weights(first.get_weights())
    as_keras_says(second, images)


@pytest.mark.parametrize(
    "make",
    [
        lambda: small(keras.layers.Lambda(lambda x: x / 127.5 - 1)),
        lambda: small(keras.layers.Lambda(keras.applications.mobilenet_v2.preprocess_input)),
        lambda: small(activation=lambda x: keras.ops.maximum(x, 0.0)),
    ],
)
def test_functions_of_ones_own_run_as_they_are(images, make):
    as_keras_says(make(), images)


def test_lora_is_read_as_it_is(images):
    model = tlkit.load_backbone(image_size=SIZE)
    model.get_layer("features_conv").enable_lora(2)
    expected = model.predict(images, verbose=0).mean(axis=(1, 2))
    found = tlkit.extract_features(model, images)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_of_two_outputs_one_must_be_named(images):
    inputs = keras.Input((SIZE, SIZE, 3))
    maps = keras.layers.Conv2D(2, 3, name="maps")(inputs)
    model = keras.Model(inputs, [maps, keras.layers.Flatten()(maps)])
    with pytest.raises(InputError, match="2 outputs"):
        tlkit.extract_features(model, images)
    two = keras.Model([inputs, keras.Input((3,))], maps)
    with pytest.raises(InputError, match="2 inputs"):
        tlkit.extract_features(two, images)

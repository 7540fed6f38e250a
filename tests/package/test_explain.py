"""Explanations of toy networks whose reasons are known because they were built in."""

import keras
import numpy as np
import pytest
from keras import layers

from tlkit import explain
from tlkit.errors import InputError
from tlkit.keras_tools import leaf_layers

SIZE = 32


def bright_base(name="base"):
    """Maps of four places a side: channel 0 is how red a place is, channel 1 how blue, 2 silent."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 255, name="rescale")(inputs)
    x = layers.AveragePooling2D(8, name="places")(x)
    conv = layers.Conv2D(3, 1, name="colours")
    x = layers.ReLU(name="open")(conv(x))
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, :, 0] = 1, -1, -1
    kernel[0, 0, :, 1] = -1, -1, 1
    conv.set_weights([kernel, np.array([0, 0, -1.0])])
    return keras.Model(inputs, layers.Identity(name="last")(x), name=name)


def head():
    """Class 0 is red, class 1 blue, class 2 never."""
    dense = layers.Dense(3, use_bias=False, name="logits")
    model = keras.Sequential([keras.Input((3,)), dense], name="head")
    dense.set_weights([np.diag([5.0, 5.0, 0.0])])
    return model


def flat():
    base = bright_base()
    pooled = layers.GlobalAveragePooling2D(name="pool")(base.output)
    return keras.Model(base.input, head()(pooled))


def nested():
    inputs = keras.Input((SIZE, SIZE, 3))
    maps = bright_base()(inputs, training=False)
    return keras.Model(inputs, head()(layers.GlobalAveragePooling2D(name="pool")(maps)))


def sequential():
    return keras.Sequential([bright_base(), layers.GlobalAveragePooling2D(name="pool"), head()])


MODELS = {"flat": flat, "nested": nested, "sequential": sequential}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


@pytest.fixture
def image():
    """A red square upper left, a smaller blue one lower right, on black."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[:8, :8] = 255, 0, 0
    image[24:, 24:] = 0, 0, 200
    return image


# ---------------------------------------------------------------- grad_cam


def test_grad_cam_peaks_where_the_class_is(model, image):
    red, blue = explain.grad_cam(model, image, 0), explain.grad_cam(model, image, 1)
    assert red.shape == (SIZE, SIZE) and red.dtype == np.float32
    assert red.min() == 0 and red.max() == pytest.approx(1)
    assert np.unravel_index(red.argmax(), red.shape) < (8, 8)
    assert red[16:, 16:].max() == 0
    assert min(np.unravel_index(blue.argmax(), blue.shape)) >= 24
    assert blue[:16, :16].max() == 0


def test_grad_cam_explains_the_likeliest_class_if_none_is_named(model, image):
    assert np.array_equal(explain.grad_cam(model, image), explain.grad_cam(model, image, 0))


def test_grad_cam_is_zero_when_nothing_speaks_for_the_class(model, image):
    assert not explain.grad_cam(model, image, 2).any()
    assert not explain.grad_cam(model, np.zeros_like(image), 0).any()


def test_grad_cam_of_an_earlier_layer(model, image):
    heat = explain.grad_cam(model, image, 0, layer="colours")
    assert np.unravel_index(heat.argmax(), heat.shape) < (8, 8)


def test_explaining_leaves_the_model_as_it_was(image):
    model = nested()
    before = model(image[None].astype("float32")).numpy()
    explain.grad_cam(model, image)
    explain.maximise_activation(model, "open", 0, steps=1)
    assert np.array_equal(model(image[None].astype("float32")).numpy(), before)
    assert all("call" not in vars(layer) for layer in leaf_layers(model))


def test_a_call_that_fails_leaves_the_model_as_it_was(image):
    model = bright_base()  # ends in maps, not in logits
    with pytest.raises(InputError, match=r"not \(N, classes\)"):
        explain.grad_cam(model, image)
    assert "call" not in vars(model.get_layer("last"))


def test_batch_norm_statistics_stay_still(image):
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(4, 3, name="conv")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    before = [np.array(w) for w in model.get_layer("bn").weights]
    explain.grad_cam(model, image)
    explain.saliency(model, image)
    explain.maximise_activation(model, "bn", 0, steps=2)
    after = [np.array(w) for w in model.get_layer("bn").weights]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


# ---------------------------------------------------------------- saliency


@pytest.mark.parametrize("smooth", [0, 4])
def test_saliency_is_only_where_the_network_looks(smooth):
    inputs = keras.Input((SIZE, SIZE, 3))
    left = layers.Cropping2D(((0, 0), (0, SIZE // 2)))(inputs)
    dense = layers.Dense(2)(layers.Flatten()(left))
    heat = explain.saliency(keras.Model(inputs, dense), np.full((SIZE, SIZE, 3), 9), smooth=smooth)
    assert heat.shape == (SIZE, SIZE) and heat.dtype == np.float32
    assert heat[:, : SIZE // 2].min() > 0 and heat.max() == pytest.approx(1)
    assert not heat[:, SIZE // 2 :].any()


def test_saliency_of_few_pixels_is_not_lost():
    inputs = keras.Input((SIZE, SIZE, 3))
    one = layers.Flatten()(layers.Cropping2D(((5, SIZE - 6), (7, SIZE - 8)))(inputs))
    heat = explain.saliency(keras.Model(inputs, layers.Dense(1)(one)), np.ones((SIZE, SIZE, 3)) * 9)
    assert heat[5, 7] == 1 and heat.sum() == 1


def test_saliency_differs_by_class_and_is_zero_without_gradient(model, image):
    assert explain.saliency(model, image, 0)[:8, :8].min() > 0
    assert not explain.saliency(model, image, 0)[24:, 24:].any()
    assert not explain.saliency(model, image, 2).any()


def test_the_same_seed_gives_the_same_saliency(model, image):
    one, two, other = (explain.saliency(model, image, 0, smooth=2, seed=s) for s in (0, 0, 1))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


# ---------------------------------------------------------------- maximise_activation


@pytest.mark.parametrize("build, layer", [(flat, "colours"), (flat, "open"), (nested, "last")])
def test_the_picture_that_a_channel_looks_for_has_its_colour(build, layer):
    red, blue = explain.maximise_activation(build(), layer, [0, 1], steps=20, step_size=0.1)
    assert red.shape == (SIZE, SIZE, 3) and red.dtype == np.uint8
    assert red[..., 0].mean() > red[..., 2].mean() + 30
    assert blue[..., 2].mean() > blue[..., 0].mean() + 30


def test_climbing_excites_the_channel_more():
    keras.utils.set_random_seed(0)
    base = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 5, name="conv")]
    )
    made = [explain.maximise_activation(base, "conv", 2, steps=s) for s in (1, 30)]
    strength = [base(m[None].astype("float32")).numpy()[..., 2].mean() for m in made]
    assert strength[1] > strength[0] + 0.05


def test_the_same_seed_gives_the_same_picture():
    model = flat()
    one, two = (explain.maximise_activation(model, "open", 0, steps=3, seed=1) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, explain.maximise_activation(model, "open", 0, steps=3, seed=2))


# ---------------------------------------------------------------- strongest_patches


def test_the_strongest_patches_are_cut_where_the_response_is(model):
    images = np.zeros((5, SIZE, SIZE, 3), np.uint8)
    images[1, 8:16, 16:24, 0] = 200
    # In the corner: the patch is moved in.
    images[3, 24:, 24:, 0] = 255
    images[4, :8, :8, 2] = 255  # blue
    found = explain.strongest_patches(model, images, "last", channel=0, n=2, patch=12)
    assert found.patches.shape == (2, 12, 12, 3) and found.patches.dtype == np.uint8
    assert found.indices.tolist() == [3, 1]
    assert found.responses == pytest.approx([1, 200 / 255])
    assert np.array_equal(found.patches[0], images[3, 20:, 20:])
    assert np.array_equal(found.patches[1], images[1, 6:18, 14:26])
    blue = explain.strongest_patches(model, images, "last", channel=1, n=1, patch=8)
    assert blue.indices.tolist() == [4] and (blue.patches[0] == (0, 0, 255)).all()


def test_more_pictures_than_one_batch():
    images = np.zeros((70, SIZE, SIZE, 3), np.uint8)
    images[66, :8, :8, 0] = 255
    found = explain.strongest_patches(bright_base(), images, "last", 0, n=1, patch=8)
    assert found.indices.tolist() == [66]


# ---------------------------------------------------------------- wrong uses


@pytest.mark.parametrize(
    "picture, said",
    [
        (np.full((SIZE, SIZE, 3), 0.5), "scaled already"),
        (np.zeros((16, 16, 3)), "16×16"),
        (np.zeros((1, SIZE, SIZE, 3)), "shape"),
    ],
)
@pytest.mark.parametrize("function", [explain.grad_cam, explain.saliency])
def test_what_is_no_raw_picture_is_refused(function, picture, said):
    with pytest.raises(InputError, match=said):
        function(flat(), picture)


@pytest.mark.parametrize("index", [3, -1, 1.0, "cat", True])
@pytest.mark.parametrize("function", [explain.grad_cam, explain.saliency])
def test_a_class_that_is_not_there_is_refused(function, index, image):
    with pytest.raises(InputError, match="class_index"):
        function(flat(), image, index)


def test_an_unknown_layer_is_refused_with_near_names(model, image):
    with pytest.raises(InputError, match=r"no layer 'colors'.*Did you mean colours"):
        explain.grad_cam(model, image, layer="colors")
    with pytest.raises(InputError, match="gives no maps"):
        explain.grad_cam(model, image, layer="pool")


def test_a_model_that_ends_in_softmax_is_refused(image):
    base = flat()
    model = keras.Model(base.input, layers.Softmax()(base.output))
    for function in (explain.grad_cam, explain.saliency):
        with pytest.raises(InputError, match="gives probabilities"):
            function(model, image)


def test_several_inputs_or_outputs_are_refused_in_words(image):
    base = flat()
    two_out = keras.Model(base.input, [base.output, base.output])
    beside = keras.Input((3,))
    two_in = keras.Model([base.input, beside], layers.Add()([base.output, beside]))
    for function in (explain.grad_cam, explain.saliency):
        with pytest.raises(InputError, match=r"not \(N, classes\)"):
            function(two_out, image)
        with pytest.raises(InputError, match="2 inputs"):
            function(two_in, image)
    with pytest.raises(InputError, match="2 inputs"):
        explain.maximise_activation(two_in, "colours", 0, steps=1)


IMAGES = np.zeros((2, SIZE, SIZE, 3), np.uint8)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: explain.maximise_activation(m, "open", 3),
        lambda m: explain.maximise_activation(m, "open", [0, -1]),
        lambda m: explain.maximise_activation(m, "open", 0.5),
        lambda m: explain.maximise_activation(m, "open", 0, steps=0),
        lambda m: explain.maximise_activation(m, "open", 0, step_size=0),
        lambda m: explain.maximise_activation(m, "opening", 0),
        lambda m: explain.strongest_patches(m, IMAGES, "open", 0, n=3),
        lambda m: explain.strongest_patches(m, IMAGES, "open", 0, n=0),
        lambda m: explain.strongest_patches(m, IMAGES, "open", 0, n=1, patch=SIZE + 1),
        lambda m: explain.strongest_patches(m, IMAGES, "open", 5, n=1),
        lambda m: explain.strongest_patches(m, IMAGES, "open", [0, 1], n=1),
        lambda m: explain.strongest_patches(m, IMAGES[0], "open", 0, n=1),
        lambda m: explain.saliency(m, IMAGES[0], smooth=-1),
        lambda m: explain.saliency("model", IMAGES[0]),
        lambda m: explain.grad_cam(keras.Sequential([layers.Dense(2)]), IMAGES[0]),
    ],
)
def test_other_wrong_uses_are_refused_in_words(call):
    with pytest.raises(InputError):
        call(flat())

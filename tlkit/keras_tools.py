"""What the rest of the package needs of Keras: check a model, find a layer, listen to it, seed.

Keras and TensorFlow are imported by the functions, so that importing this module is quick.
"""

import contextlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.checks import demand, did_you_mean
from tlkit.errors import InputError

if TYPE_CHECKING:
    import keras

    Layers = Sequence[keras.layers.Layer]


# --- layers -----------------------------------------------------------------------------------


def leaf_layers(
    model: "keras.Model | Iterable[keras.layers.Layer]", whole: bool = False
) -> list["keras.layers.Layer"]:
    """The layers that compute something, each once, from early to late, through nested models.

    Args:
        model: A model of any kind, or some layers.
        whole: Take a layer that is made of layers, such as attention, as one layer.

    Returns:
        The layers that hold no others; of a subclassed model in the order of its attributes.

    Example:
        >>> [layer.name for layer in leaf_layers(small_network())][-1]
        'logits'
    """
    import keras

    def walk(layer) -> Iterator["keras.layers.Layer"]:
        inner = getattr(layer, "layers", None) or getattr(layer, "_layers", [])
        if not inner or (whole and not isinstance(layer, keras.Model)):
            yield layer
        else:
            for each in inner:
                yield from walk(each)

    start = [model] if isinstance(model, keras.layers.Layer) else model
    return list({id(leaf): leaf for layer in start for leaf in walk(layer)}.values())


def find_layer(model: "keras.Model", name: str) -> "keras.layers.Layer":
    """The layer, or the nested model, of a name.

    Args:
        model: A model of any kind.
        name: A layer's name, wherever it stands; where nested models have layers of the same name,
            the names on the way to it, such as `"teacher/logits"`.

    Returns:
        The layer.

    Raises:
        InputError: There is none of that name (the nearest are named), or there are several.

    Example:
        >>> find_layer(small_network(), "logits").units
        2
    """
    import keras

    def walk(model, prefix: str) -> Iterator[tuple[str, "keras.layers.Layer"]]:
        for layer in model.layers:
            yield f"{prefix}{layer.name}", layer
            if isinstance(layer, keras.Model):
                yield from walk(layer, f"{prefix}{layer.name}/")

    places = dict(walk(model, ""))
    if not isinstance(name, str):
        raise InputError(
            f"The model {model.name!r} has no layer {name!r}.",
            did_you_mean(name, [layer.name for layer in places.values()]),
        )
    if name in places:
        return places[name]
    found = {path: each for path, each in places.items() if path.endswith(f"/{name}")}
    if len({id(layer) for layer in found.values()}) > 1:
        raise InputError(
            f"The model {model.name!r} has several layers {name!r}.",
            f"Say which one: {', '.join(found)}.",
        )
    if not found:
        known = list(dict.fromkeys(layer.name for layer in places.values()))
        what = f"The model {model.name!r} has no layer {name!r}."
        raise InputError(what, did_you_mean(name, known))
    return next(iter(found.values()))


def find_maps(model: "keras.Model", name: str | None = None) -> "keras.layers.Layer":
    """The layer of that name, or the last one, whose output is maps (N, h, w, c), h or w above 1.

    Raises:
        InputError: There is no such layer.
    """

    def gives_maps(layer) -> bool:
        shape = getattr(getattr(layer, "output", None), "shape", ())
        entrance = type(layer).__name__ == "InputLayer"
        return len(shape) == 4 and tuple(shape[1:3]) != (1, 1) and not entrance

    if name is None:
        maps = [layer for layer in leaf_layers(model, whole=True) if gives_maps(layer)]
        demand(maps, f"The model {model.name!r} has no maps.", "Use a convolutional one.")
        return maps[-1]
    layer, what = find_layer(model, name), f"The layer {name!r} gives no maps (N, h, w, c)."
    demand(gives_maps(layer), what, "Choose an earlier one.")
    return layer


def place_of(name: str, layers: "Layers", model_name: str) -> int:
    """The place of a layer among others, or of the first one of a block.

    Args:
        name: A layer's name, or a block's: the beginning of its layers' names up to an underscore.
        layers: Where to look.
        model_name: What to call them in an error.

    Returns:
        Its index.

    Raises:
        InputError: There is none; the nearest are named.

    Example:
        >>> layers = leaf_layers(load_backbone(image_size=64))
        >>> layers[place_of("block_10", layers, "the network")].name
        'block_10_expand_conv'
    """
    for place, layer in enumerate(layers):
        rest = layer.name.removeprefix(f"{name}_")
        # "conv2d_7" is no part of "conv2d", but "block_10_expand_conv" is one of "block_10".
        if layer.name == name or (rest != layer.name and not rest.isdigit()):
            return place
    what = f"The model {model_name!r} has no layer {name!r}."
    raise InputError(what, did_you_mean(name, [layer.name for layer in layers]))


@contextlib.contextmanager
def listening(layers: "Layers", hear: Callable[[Any, Any, Any], None]) -> Iterator[None]:
    """Hear what flows through layers while a model runs, however deep they stand.

    A new model that ends at a layer would do in a flat model, but not for one inside a nested or a
    subclassed model. So each layer's `call` is replaced for the time of the block. It works in a
    gradient tape and in a `tf.function` alike.

    Args:
        layers: Whom to listen to.
        hear: Called with the layer, its (first) input and its output each time that a layer runs.

    Example:
        >>> seen = {}
        >>> layer = find_layer(model, "block_12")                           # doctest: +SKIP
        >>> with listening([layer], lambda _, given, maps: seen.update(maps=maps)):
        ...     logits = model(pictures, training=False)                    # doctest: +SKIP
    """

    def wrapped(layer):
        call = layer.call

        def listen(*arguments, **options):
            output = call(*arguments, **options)
            hear(layer, arguments[0] if arguments else None, output)
            return output

        return listen

    layers = list({id(layer): layer for layer in layers}.values())
    for layer in layers:
        # Past Keras, which would track it.
        object.__setattr__(layer, "call", wrapped(layer))
    try:
        yield
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


# --- states -----------------------------------------------------------------------------------


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let all that is random in the block depend on a seed, and on nothing after it.

    Seeds Python, NumPy, Keras and TensorFlow, as `keras.utils.set_random_seed` does, and gives back
    the states that they had.

    Args:
        seed: A whole number from 0 to 2**32 - 1.

    Example:
        >>> with seeded(1):
        ...     first = keras.layers.Dense(3)
    """
    import keras
    from keras.src.backend.common import global_state
    from tensorflow.python.eager import context

    of_tensorflow = context.context()
    names = ("global_random_seed", "global_seed_generator")
    before = random.getstate(), np.random.get_state()
    of_keras = {name: global_state.get_global_attribute(name) for name in names}
    kept = {name: each for name, each in vars(of_tensorflow).items() if name in ("_seed", "_rng")}
    keras.utils.set_random_seed(int(seed))
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        for name, value in of_keras.items():
            global_state.set_global_attribute(name, value)
        vars(of_tensorflow).update(kept)


@contextlib.contextmanager
def put_back(variables: Sequence) -> Iterator[None]:
    """Give variables back the values that they had before the block, whatever happens in it."""
    before = [np.array(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


# --- models -----------------------------------------------------------------------------------


def built_model(model: Any) -> "keras.Model":
    """A Keras model of any kind that has its weights."""
    import keras

    if not isinstance(model, keras.Model) or not model.built:
        raise InputError(
            f"{type(model).__name__} is not a Keras model with its weights built.",
            "Pass a model such as load_backbone gives; call it once on a batch of pictures if it "
            "is subclassed.",
        )
    return model


def open_model(model: Any) -> "keras.Model":
    """A functional or a built Sequential model of one input, whose layers can be read."""
    import keras

    inputs = getattr(model, "inputs", None)
    if not isinstance(model, keras.Model) or not inputs:
        raise InputError(
            f"{type(model).__name__} is not a model whose layers can be read.",
            "Pass a functional or a built Sequential Keras model, such as load_backbone gives.",
        )
    what = f"The model {model.name!r} has {len(inputs)} inputs."
    demand(len(inputs) == 1, what, "Pass a model that takes pictures and nothing else.")
    return model


def count_classes(model: "keras.Model", who: str = "model", least: int = 2) -> int:
    """How many classes a model tells apart that ends in one logit for each, (N, classes)."""
    shape = getattr(model, "output_shape", None)
    fine = isinstance(shape, tuple) and len(shape) == 2 and isinstance(shape[1], int)
    demand(
        fine and shape[1] >= least,
        f"The {who}'s output has the shape {shape}, not (N, classes).",
        f"Let it end in one logit for each class, {least} or more.",
    )
    return shape[1]


def logits(outputs: Any, who: str = "model") -> np.ndarray:
    """A model's outputs (N, classes) as float32, if they are finite and no probabilities."""
    outputs = np.asarray(outputs)
    demand(
        outputs.ndim == 2 and outputs.dtype.kind in "iuf",
        f"The {who}'s outputs are {outputs.dtype} of shape {outputs.shape}, not (N, classes).",
        "Give a model that ends in one logit for each class, or such logits.",
    )
    fine = np.isfinite(outputs).all()
    demand(fine, f"Some of the {who}'s logits are NaN or infinite.", "Look at them first.")
    demand(
        (outputs < 0).any() or not np.allclose(outputs.sum(axis=1), 1, atol=1e-3),
        f"The {who} gives probabilities: all its rows are positive and sum to 1.",
        "Give logits: end the network in a dense layer without softmax.",
    )
    return outputs.astype("float32")

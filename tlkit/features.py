"""The frozen network as a fast function of pictures (lesson 03)."""

import collections
import json
import math
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.errors import InputError
from tlkit.keras_tools import find_layer, listening, open_model
from tlkit.progress import progress as tell
from tlkit.store import digest, keep, recall

if TYPE_CHECKING:
    import keras

_compiled: collections.OrderedDict[str, Callable] = collections.OrderedDict()
_COMPILED_AT_MOST = 4
# Bytes of maps that are kept while the layers after them train.
MOST_KEPT = 1e9
_running = threading.Lock()


def extract_features(
    model: "keras.Model",
    images: np.ndarray,
    layer: str | None = None,
    pooled: bool = True,
    batch_size: int = 32,
    cache: bool = True,
    progress: bool | None = None,
) -> np.ndarray:
    """Run pictures through a frozen network once, and keep what comes out.

    The answer is that of `model.predict` followed by global average pooling, but faster (see
    `benchmarks/features.py`): batch norm is folded into the convolutions and the whole runs as one
    compiled graph. It is kept on disk under a key made of the pictures, the weights and the
    computation themselves, so a second call with the same ones reads it back, and any change of any
    of them does not.

    Args:
        model: A functional or Sequential model from RGB 0–255, such as `load_backbone` gives.
        images: RGB pictures (N, H, W, 3), uint8 or numbers from 0 to 255, of the model's size.
        layer: Name of the layer to read, such as `"block_12"`, also inside a nested model; the
            model's output if None.
        pooled: Average feature maps over height and width.
        batch_size: Pictures per step.
        cache: Keep the answer on disk and use what was kept.
        progress: True to tell how far it has come, False not to, None to tell after three seconds.

    Returns:
        float32 features: (N, C), or maps (N, h, w, C) with `pooled=False`.

    Raises:
        InputError: Pictures that are not RGB 0–255 of the model's size, or an unknown layer.

    Example:
        >>> base = load_backbone("efficientnet-lite0", image_size=64)
        >>> extract_features(base, np.zeros((2, 64, 64, 3), "uint8")).shape
        (2, 1280)
    """
    return read_layers(model, images, [layer], pooled, batch_size, cache, progress)[0]


def read_layers(
    model: "keras.Model",
    images: np.ndarray,
    layers: Sequence[str | None],
    pooled: bool = True,
    batch_size: int = 32,
    cache: bool = True,
    progress: bool | None = None,
) -> list[np.ndarray]:
    """`extract_features` of several layers, with one pass through the network for each picture.

    Args:
        model: As for `extract_features`, like all that follows.
        images: Pictures.
        layers: Names of layers; None for the model's output.
        pooled: Average feature maps over height and width.
        batch_size: Pictures per step.
        cache: Keep the answer on disk and use what was kept.
        progress: Tell how far it has come.

    Returns:
        For each layer its float32 features.

    Raises:
        InputError: Pictures that do not fit the model, or an unknown layer.

    Example:
        >>> stem, late = read_layers(base, images, ["stem", "block_12"])    # doctest: +SKIP
        >>> stem.shape, late.shape                                          # doctest: +SKIP
        ((2, 32), (2, 192))
    """
    if not isinstance(pooled, bool | np.bool_):
        raise InputError(f"`pooled` is {pooled!r}.", "Say True for averages, False for maps.")
    part, inside = _part(open_model(model), layers)
    images = checks.pictures(images, part.input_shape[1:])
    batch_size = checks.whole(batch_size, "batch_size", 1)
    graph = _graph(part)
    network = graph and digest("features 3", graph, f"{inside} {pooled}", *part.get_weights())
    name = f"{digest(network, images)}.npz" if cache and network else ""
    kept = recall("features", name) if name else None
    if kept is None:
        forward = _compile(network, part, inside, pooled, images.dtype)
        found = _run(forward, images, batch_size, progress)
        kept = {f"layer_{number}": each for number, each in enumerate(found)}
        if name:
            keep("features", name, **kept)
    return [kept[f"layer_{number}"] for number in range(len(layers))]


def still_part(model: "keras.Model", pictures: int) -> "tuple[keras.Model, keras.Model] | None":
    """The part of a network in which nothing moves while it trains, and the part after it.

    What comes out of the first is the same in every step, so it need be computed once only. The cut
    is the latest place before the first layer that trains which everything passes through.

    Args:
        model: A functional or Sequential model whose late layers train.
        pictures: For how many the maps at the cut are to be kept.

    Returns:
        Two models which, one after the other, are the first; they share their layers with it, so
        that to train the second is to train the model. None where nothing can be kept: the first
        layers train, or are random, or somebody's own; or the maps would need more than a gigabyte.

    Example:
        >>> model = load_backbone(image_size=64)
        >>> unfreeze(model, "block_10", quiet=True)
        >>> still_part(model, pictures=100)[0].output_shape
        (None, 4, 4, 112)
    """
    import keras

    if not getattr(model, "inputs", None) or len(model.inputs) + len(model.outputs) > 2:
        return None
    layers = keras.Model(model.inputs, model.outputs).operations
    place = {id(layer): number for number, layer in enumerate(layers)}
    cut, reached = 0, len(layers)
    # From late to early: whether what comes after a layer needs nothing from before it.
    for number in range(len(layers) - 1, 0, -1):
        parents = layers[number]._inbound_nodes[0].parent_nodes
        reached = min([reached, *(place.get(id(node.operation), -1) for node in parents)])
        if reached == number - 1 and _are_still(layers[:number]):
            cut = number - 1
            break
    if not any(getattr(layer, "weights", None) for layer in layers[: cut + 1]):
        return None
    maps = layers[cut].output
    fits = None not in maps.shape[1:] and 4 * pictures * math.prod(maps.shape[1:]) <= MOST_KEPT
    early = keras.Model(model.inputs[0], maps)
    if not fits or _graph(early) is None:
        return None
    return early, keras.Model(maps, model.outputs[0], name=model.name)


def _are_still(layers: Sequence) -> bool:
    """Whether layers do the same in every training step."""
    import keras

    def random(layer) -> bool:
        parts = vars(layer).values()
        return any(isinstance(each, keras.random.SeedGenerator) for each in parts)

    return not any(getattr(each, "trainable_variables", None) or random(each) for each in layers)


def _part(
    model: "keras.Model", layers: Sequence[str | None]
) -> tuple["keras.Model", tuple[str, ...]]:
    """The network from the pictures to the wanted layers, and the names of layers inside it.

    A layer of the model itself ends the part. To a nested model or a layer inside one, whose output
    belongs to another graph, one has to listen while all of the model runs.
    """
    import keras

    outputs = len(model.outputs)
    demand(outputs == 1, f"The model {model.name!r} has {outputs} outputs.", "Name a layer of it.")
    found = [None if name is None else find_layer(model, name) for name in layers]
    if any(isinstance(each, keras.Model) or each not in (None, *model.layers) for each in found):
        return keras.Model(model.inputs, model.outputs), tuple(layers)
    ends = [model.outputs[0] if each is None else each.output for each in found]
    return keras.Model(model.inputs, ends), ()


def _graph(part: "keras.Model") -> str | None:
    """What the network computes, apart from its weights: its layers, numbered and not named.

    None where a layer or a function of somebody's own is in it: its text tells its name and not
    what it does, so nothing can be kept under it.
    """
    numbers = {layer.name: f"layer {number}" for number, layer in enumerate(part.layers)}
    numbers[part.name] = "model"

    def nameless(value):
        if isinstance(value, dict):
            ours = str(value.get("module", "keras")).startswith("keras")
            code = value.get("class_name") == "__lambda__" or type(value.get("value")) is tuple
            if code or not ours:
                raise NotImplementedError
            return {key: nameless(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [nameless(each) for each in value]
        return numbers.get(value, value) if isinstance(value, str) else value

    try:
        with warnings.catch_warnings():
            # Keras warns of code in a configuration, which is what we look for.
            warnings.simplefilter("ignore")
            config = part.get_config()
        return json.dumps(nameless(config), sort_keys=True, default=str)
    except (NotImplementedError, TypeError, ValueError):
        return None


def _compile(
    network: str | None,
    part: "keras.Model",
    inside: Sequence[str],
    pooled: bool,
    dtype: np.dtype,
) -> Callable:
    """One graph for any number of pictures; the last few are remembered."""
    key = f"{network} {dtype}"
    if key in _compiled:
        return _compiled[key]
    forward = _trace(part, network is not None, inside, pooled, dtype)
    if network is not None:
        _compiled[key] = forward
        while len(_compiled) > _COMPILED_AT_MOST:
            _compiled.popitem(last=False)
    return forward


def _trace(
    part: "keras.Model", fold: bool, inside: Sequence[str], pooled: bool, dtype: np.dtype
) -> Callable:
    """The network as one graph; what is not known to Keras alone is not taken apart."""
    import keras
    import tensorflow as tf

    from tlkit.networks.folding import fold_batch_norm

    network = fold_batch_norm(part) if fold else part
    listened = {name: find_layer(network, name) for name in inside if name is not None}
    # Weights that are constants of the graph can be laid out once for the processor.
    constants = [
        [tf.constant(each.value) for each in variables]
        for variables in (network.trainable_variables, network.non_trainable_variables)
    ]

    @tf.function(input_signature=[tf.TensorSpec((None, *part.input_shape[1:]), dtype)])
    def forward(images):
        heard = {}
        layers = listened.values()
        with listening(layers, lambda layer, _, output: heard.update({id(layer): output})):
            ends, _ = network.stateless_call(
                *constants, tf.cast(images, tf.float32), training=False
            )
        ends = keras.tree.flatten(ends)
        found = [ends[0] if name is None else heard[id(listened[name])] for name in inside] or ends
        return [
            tf.reduce_mean(each, axis=(1, 2)) if pooled and len(each.shape) == 4 else each
            for each in found
        ]

    return forward.get_concrete_function()


def _run(
    forward: Callable, images: np.ndarray, batch_size: int, progress: bool | None
) -> list[np.ndarray]:
    """All batches, one after the other, also when several threads ask for features.

    Two at a time are wrong now and then, or crash: TensorFlow's oneDNN convolution with a fused
    residual sum keeps a pointer to the summand in the layer (`MklConvOp::AllocateOutputTensor`),
    where the other batch may overwrite it. The cores share the work within a batch.
    """
    starts = range(0, len(images), batch_size)
    told = tell(starts, len(starts), "Extracting features", progress)
    with _running:
        steps = [forward(images[start : start + batch_size]) for start in told]
    return [
        np.concatenate([np.asarray(each) for each in parts]) for parts in zip(*steps, strict=True)
    ]

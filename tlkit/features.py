"""The frozen network as a fast function of pictures, and heads to put on it (lesson 03)."""

import collections
import difflib
import hashlib
import json
import os
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from tlkit.errors import InputError
from tlkit.progress import progress as tell
from tlkit.store import keep, recall

if TYPE_CHECKING:
    import keras

_parts: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
_compiled: collections.OrderedDict[str, Callable] = collections.OrderedDict()
_COMPILED_AT_MOST = 4


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
        layer: Name of the layer to read, such as `"block_12"`; the model's output if None.
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
    part, graph = _part(model, layer)
    images = checked(images, part)
    if not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise InputError(
            f"batch_size={batch_size!r} is not a number of pictures.", "Give 1 or more."
        )
    network = digest_of("features 1", graph, str(pooled), *part.get_weights())
    name = f"{digest_of(network, images)}.npz" if cache else ""
    if cache and (kept := recall("features", name)):
        return kept["features"]
    forward = _compile(network, part, pooled, images.dtype)
    features = _run(forward, images, batch_size, progress)
    if cache:
        keep("features", name, features=features)
    return features


def _run(
    forward: Callable, images: np.ndarray, batch_size: int, progress: bool | None
) -> np.ndarray:
    """All batches, some at a time: while one waits for its slowest core, another uses the rest."""
    starts = range(0, len(images), batch_size)
    workers = ThreadPoolExecutor(min(3, 1 + (os.cpu_count() or 1)))
    try:
        steps = workers.map(lambda start: forward(images[start : start + batch_size]), starts)
        told = tell(steps, len(starts), "Extracting features", progress)
        return np.concatenate([np.asarray(step) for step in told])
    finally:
        workers.shutdown(cancel_futures=True)


def _part(model: "keras.Model", layer: str | None) -> tuple["keras.Model", str]:
    """The network from the pictures to the wanted layer, and its graph as text.

    Both are made once per model: reading a graph takes longer than running some pictures.
    """
    import keras

    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise InputError(
            f"{type(model).__name__} is not a model whose layers can be read.",
            "Pass a functional or a built Sequential Keras model, such as load_backbone gives.",
        )
    names = [each.name for each in model.layers]
    if layer is not None and layer not in names:
        near = difflib.get_close_matches(str(layer), names, 3) or names[-3:]
        raise InputError(
            f"The model {model.name!r} has no layer {layer!r}.", f"Did you mean {', '.join(near)}?"
        )
    known = _parts.setdefault(model, {})
    if layer not in known:
        output = model.outputs[0] if layer is None else model.get_layer(layer).output
        part = keras.Model(model.inputs, output)
        known[layer] = part, _graph(part)
    return known[layer]


def checked(images: np.ndarray, part: "keras.Model") -> np.ndarray:
    """The pictures as an array of uint8 or float32, or an error that says what they are instead."""
    images = np.asarray(images)
    size = tuple(part.input_shape[1:])
    if (
        images.dtype.kind not in "uif"
        or images.ndim != 4
        or images.shape[-1] != 3
        or not len(images)
    ):
        hint = " Add an axis to a single picture: image[None]." if images.ndim == 3 else ""
        raise InputError(
            f"Pictures must be numbers of shape (N, H, W, 3); these are {images.dtype} of shape "
            f"{images.shape}.",
            f"Pass RGB pictures from 0 to 255.{hint}",
        )
    if any(want not in (None, have) for want, have in zip(size, images.shape[1:], strict=True)):
        raise InputError(
            f"The pictures are {images.shape[2]}×{images.shape[1]} pixels, but the model takes "
            f"{size[1]}×{size[0]}.",
            f"Load the backbone with image_size={images.shape[1]}, or pictures of its size.",
        )
    if images.dtype == np.uint8:
        return images
    if not np.isfinite(images).all():
        raise InputError(
            "Some pixels are not numbers (NaN or infinite).",
            "Look for a division by zero or a missing value where the pictures were made.",
        )
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 255 or 0 < high <= 1:
        raise InputError(
            f"The pixels lie between {low:g} and {high:g}: the pictures seem to be scaled already.",
            "Pass raw RGB from 0 to 255: the model scales them itself.",
        )
    return images.astype("float32")


def digest_of(*parts: str | bytes | np.ndarray) -> str:
    """SHA-256 over texts and arrays, with their types and shapes."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            part = np.ascontiguousarray(part).data
        digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()


def _graph(part: "keras.Model") -> str:
    """What the network computes, apart from its weights: its layers, numbered and not named."""
    numbers = {layer.name: f"layer {number}" for number, layer in enumerate(part.layers)}
    numbers[part.name] = "model"

    def nameless(value):
        if isinstance(value, dict):
            return {key: nameless(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [nameless(each) for each in value]
        return numbers.get(value, value) if isinstance(value, str) else value

    return json.dumps(nameless(part.get_config()), sort_keys=True, default=str)


def _compile(network: str, part: "keras.Model", pooled: bool, dtype: np.dtype) -> Callable:
    """One graph for any number of pictures; the last few are remembered."""
    import tensorflow as tf

    from tlkit.networks.folding import fold_batch_norm

    key = f"{network} {dtype}"
    if key not in _compiled:
        folded = fold_batch_norm(part)
        # Weights that are constants of the graph can be laid out once for the processor.
        constants = [tf.constant(each.value) for each in folded.non_trainable_variables]

        @tf.function(input_signature=[tf.TensorSpec((None, *part.input_shape[1:]), dtype)])
        def forward(images):
            images = tf.cast(images, tf.float32)
            features, _ = folded.stateless_call([], constants, images, training=False)
            return (
                tf.reduce_mean(features, axis=(1, 2))
                if pooled and len(features.shape) == 4
                else features
            )

        _compiled[key] = forward.get_concrete_function()
        while len(_compiled) > _COMPILED_AT_MOST:
            _compiled.popitem(last=False)
    return _compiled[key]


def fit_linear_head(features: np.ndarray, labels: np.ndarray, C: float = 1.0) -> "keras.Sequential":
    """Fit a linear classifier on frozen features: logistic regression, as a Keras head.

    Features are centred and divided by one number for all, their overall spread, so that `C` means
    the same for every layer; a number for each feature would raise the quiet, noisy ones to the
    rank of the telling ones. Scaling and fit are then one dense layer. Nothing in it is random.

    Args:
        features: (N, C) numbers.
        labels: (N,) integers from 0; every class up to the highest should occur.
        C: Strength of the fit against keeping the weights small, above 0.

    Returns:
        A `keras.Sequential` named `"head"`, from features (N, C) to logits (N, classes).

    Raises:
        InputError: Features and labels that do not fit, or fewer than two classes.

    Example:
        >>> head = fit_linear_head(np.array([[0.0], [1.0], [4.0], [5.0]]), [0, 0, 1, 1])
        >>> np.asarray(head(np.array([[0.5], [4.5]]))).argmax(axis=1)
        array([0, 1])
    """
    import keras
    from sklearn.linear_model import LogisticRegression

    features, labels = np.asarray(features), np.asarray(labels)
    if features.ndim != 2 or labels.shape != (len(features),) or not np.isfinite(features).all():
        raise InputError(
            f"Features of shape {features.shape} and labels of shape {labels.shape} do not fit.",
            "Pass one row of finite features and one label per picture.",
        )
    if labels.dtype.kind not in "ui" or labels.min() < 0 or len(np.unique(labels)) < 2:
        raise InputError(
            f"Labels must be whole numbers from 0, of two classes or more; these are "
            f"{np.unique(labels)[:5]}.",
            "Pass the labels of an ImageDataset.",
        )
    middle = features.mean(axis=0, dtype="float64")
    spread = np.sqrt(features.var(axis=0, dtype="float64").mean()) or 1.0
    # Turning the features does not change the fit, and n pictures span n directions at the most:
    # with few pictures there is far less to fit.
    basis, turned = np.linalg.qr(((features - middle) / spread).T)
    fitted = LogisticRegression(C=C, max_iter=1000).fit(turned.T, labels)
    weights, bias = fitted.coef_ @ basis.T / spread, fitted.intercept_
    if len(weights) == 1:  # two classes: scikit-learn keeps only the second one's row
        weights, bias = (
            np.vstack([-weights / 2, weights / 2]),
            np.concatenate([-bias / 2, bias / 2]),
        )
    kernel = np.zeros((features.shape[1], labels.max() + 1), "float32")
    offset = np.full(
        labels.max() + 1, -1e3, "float32"
    )  # a class that never occurs is never answered
    kernel[:, fitted.classes_] = weights.T
    offset[fitted.classes_] = bias - weights @ middle
    head = keras.Sequential(
        [keras.Input(features.shape[1:]), keras.layers.Dense(kernel.shape[1], name="logits")],
        name="head",
    )
    head.layers[-1].set_weights([kernel, offset])
    return head


def attach_head(base: "keras.Model", head: "keras.Model") -> "keras.Model":
    """Join a backbone and a head into one classifier from pictures to logits.

    Args:
        base: A backbone from pictures to feature maps.
        head: A model from pooled features (N, C) to logits (N, classes).

    Returns:
        A functional model that shares its layers with both: pictures, base, average pooling, head.

    Raises:
        InputError: The head does not take as many features as the base gives.

    Example:
        >>> model = attach_head(base, fit_linear_head(features, labels))    # doctest: +SKIP
        >>> model.predict(images).shape                                     # doctest: +SKIP
        (2, 5)
    """
    import keras

    if len(base.output.shape) != 4 or base.output.shape[-1] != head.input_shape[-1]:
        raise InputError(
            f"A head for {head.input_shape[-1]} features does not fit a backbone whose output is "
            f"{base.output_shape}.",
            "Fit the head on the pooled features of this very backbone.",
        )
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    return keras.Model(base.input, head(pooled), name=f"{base.name}_classifier")

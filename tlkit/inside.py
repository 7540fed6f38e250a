"""How `tlkit.explain` reads a layer inside a model, and checks what it is asked."""

import contextlib
import difflib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.errors import InputError
from tlkit.features import checked

if TYPE_CHECKING:
    import keras


def layers_of(model: "keras.Model") -> list:
    """All layers in the order they run, with those of a model inside the model."""
    found = []
    for layer in model.layers:
        found += layers_of(layer) if getattr(layer, "layers", None) else [layer]
    return found


def find_layer(model: "keras.Model", name: str | None) -> Any:
    """The layer of that name, or the last one whose output is maps (N,h,w,c) of several places."""
    every = layers_of(model)
    maps = [layer for layer in every if _is_maps(layer)]
    if name is None:
        if not maps:
            raise InputError(f"The model {model.name!r} has no maps.", "Use a convolutional one.")
        return maps[-1]
    for layer in maps:
        if layer.name == name:
            return layer
    if name in {layer.name for layer in every}:
        raise InputError(f"The layer {name!r} gives no maps (N,h,w,c).", "Choose an earlier one.")
    names = [layer.name for layer in maps]
    near = difflib.get_close_matches(str(name), names, 3) or names[-3:]
    raise InputError(
        f"The model {model.name!r} has no layer {name!r}.", f"Did you mean {', '.join(near)}?"
    )


def _is_maps(layer: Any) -> bool:
    shape = getattr(getattr(layer, "output", None), "shape", ())
    is_input = type(layer).__name__ == "InputLayer"  # by name: Keras may not be imported yet
    return len(shape) == 4 and not is_input and tuple(shape[1:3]) != (1, 1)


@contextlib.contextmanager
def watched(layer: Any, tape: Any = None, inputs: bool = False) -> Iterator[list]:
    """Collect what a layer gives (or gets) while its model runs, however deep it stands.

    A new model that ends at the layer would do for flat models, but not for a base inside a model,
    whose layers belong to another graph. So the layer's `call` is replaced for the block's time.
    """
    seen: list = []
    call = layer.call

    def keep(*args, **options):
        output = call(*args, **options)
        if tape is not None:
            tape.watch(output)
        seen.append(args[0] if inputs else output)
        return output

    layer.call = keep
    try:
        yield seen
    finally:
        del layer.call  # the method of the class shows again


def responses(model: "keras.Model", layer: str, channels: Any, climb: bool = False) -> Callable:
    """A function from pictures (N,H,W,3) to some channels of a layer, (N,h,w,channels).

    To climb, a ReLU is left a little open: where it is shut, nothing says which way is up.
    """
    import tensorflow as tf

    check_model(model)
    found = find_layer(model, layer)
    for channel in np.atleast_1d(np.asarray(channels, dtype=object)):
        whole(channel, "channel", 0, found.output.shape[-1] - 1)

    relu = _relu_behind(model, found) if climb else None

    def run(pictures):
        with watched(relu or found, inputs=relu is not None) as seen:
            model(pictures, training=False)
        maps = tf.nn.leaky_relu(seen[-1], 0.1) if relu else seen[-1]
        return tf.gather(maps, np.atleast_1d(channels), axis=-1)

    return run


def _relu_behind(model: "keras.Model", layer: Any) -> Any:
    """The ReLU that a layer is, or passes on under another name; None if there is none."""
    every = layers_of(model)
    at = next(number for number, each in enumerate(every) if each is layer)
    while type(every[at]).__name__ == "Identity" and every[at].input is every[at - 1].output:
        at -= 1
    return every[at] if type(every[at]).__name__ == "ReLU" else None


def check_model(model: Any) -> None:
    """Refuse what is not a model whose layers can be read."""
    if not getattr(model, "inputs", None) or not getattr(model, "layers", None):
        raise InputError(
            f"{type(model).__name__} is no model whose layers can be read.",
            "Give a functional Keras model, such as load_backbone gives.",
        )


def as_batch(model: "keras.Model", images: Any) -> np.ndarray:
    """Pictures (N,H,W,3) as float32 from 0 to 255, if the model can take them."""
    check_model(model)
    return checked(images, model).astype(np.float32)


def as_one(model: "keras.Model", image: Any) -> np.ndarray:
    """One picture (H,W,3) as a batch of one."""
    image = np.asarray(image)
    if image.ndim != 3:
        raise InputError(
            f"One picture has the shape (H,W,3); this is {image.shape}.",
            "Take one of several by its index, and turn grey into RGB.",
        )
    return as_batch(model, image[None])


def logit_of(logits: Any, class_index: int | None) -> Any:
    """The logit to explain, from a model's output for one picture."""
    if len(logits.shape) != 2:
        raise InputError(
            f"The model's output has the shape {tuple(logits.shape)}, not (N, classes).",
            "Give a model that ends in logits, such as attach_head makes.",
        )
    if class_index is None:
        class_index = np.argmax(logits[0])
    whole(class_index, "class_index", 0, logits.shape[1] - 1)
    return logits[0, int(class_index)]


def whole(value: Any, name: str, low: int, high: int | None = None) -> None:
    """Refuse what is not a whole number within limits."""
    fine = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not fine or value < low or (high is not None and value > high):
        limits = f"{low} or more" if high is None else f"from {low} to {high}"
        raise InputError(f"{name} is {value!r}.", f"Give a whole number, {limits}.")


def to_unit(heat: np.ndarray) -> np.ndarray:
    """Values of 0 or more as float32 from 0 to 1; all 0 stays all 0."""
    highest = heat.max()
    return (heat / highest if highest > 0 else heat).astype(np.float32)

"""Any Keras network as a backbone: raw pictures in, feature maps out (see `load_backbone`)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from tlkit import checks
from tlkit.errors import DamagedFileError, InputError
from tlkit.keras_tools import built_model


def wrap(model: Any, preprocess: Callable | None, image_size: int) -> keras.Model:
    """A network from RGB 0–255 to feature maps around somebody's own; see `load_backbone`.

    A model that is made of Keras's own layers is copied into one flat graph, whose layers can be
    read by name and whose batch norm can be folded. Any other stays as it is, inside.

    Raises:
        InputError: No model of pictures, or preprocessing that does not fit it.
        DamagedFileError: A file that cannot be read as a model.
    """
    model = built_model(_from_file(model) if isinstance(model, str | Path) else model)
    takes = _takes(model)
    inside = preprocess if preprocess is not None else (lambda pictures: pictures)
    checks.demand(callable(inside), f"`preprocess` is {preprocess!r}.", "Give a function or layer.")
    for side in takes[:2]:
        checks.demand(
            side in (None, image_size),
            f"The model {model.name!r} takes pictures of {takes[1]}×{takes[0]} pixels.",
            f"Say image_size={takes[0]}, or build the model for {image_size}.",
        )
    inputs = keras.Input((image_size, image_size, 3), name="pictures")
    try:
        prepared = inside(inputs)
        checks.demand(
            tuple(getattr(prepared, "shape", ()))[1:] == (image_size, image_size, 3),
            f"`preprocess` makes {getattr(prepared, 'shape', prepared)!r} of pictures.",
            "It must keep their shape and be made of Keras operations.",
        )
        nested = keras.Model(inputs, _as_maps(model(prepared)), name=model.name)
    except InputError:
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        what = f"The model {model.name!r} cannot be built for {image_size} pixels: {first}"
        raise InputError(what, "Try the size it was made for.") from error
    return _flat(model, inputs, prepared, nested) or nested


def _from_file(path: str | Path) -> keras.Model:
    path = checks.path(path, ".keras", there="file")
    try:
        # Code in a file of somebody else's is not run.
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        what = f"{path.name!r} cannot be read as a model: {first}"
        raise DamagedFileError(what, "Load it yourself if you trust it, and pass it.") from error


def _takes(model: keras.Model) -> tuple[int | None, int | None, int]:
    """Height, width and channels of the pictures that a model takes."""
    shape = getattr(model, "input_shape", None) or (None, None, None, 3)
    fine = isinstance(shape, tuple) and len(shape) == 4 and shape[-1] == 3
    checks.demand(
        fine,
        f"The model {model.name!r} takes inputs of shape {shape}, not pictures (N, H, W, 3).",
        "Pass a model of RGB pictures and nothing else.",
    )
    return shape[1:]


def _as_maps(outputs: Any) -> Any:
    """Outputs as maps (N, h, w, c): a vector is one place, the tokens of a transformer a column."""
    shape = tuple(getattr(outputs, "shape", ()))
    if len(shape) == 4:
        return outputs
    fine = len(shape) in (2, 3) and all(isinstance(each, int) for each in shape[1:])
    what = f"The model's output has the shape {shape}: it is neither maps nor a vector."
    checks.demand(fine, what, "End the model at a layer with one output of features.")
    return layers.Reshape((*shape[1:-1], *[1] * (4 - len(shape)), shape[-1]), name="maps")(outputs)


def _flat(model: keras.Model, inputs: Any, prepared: Any, nested: keras.Model):
    """The same network without a model inside, if it is made of Keras's own layers alone."""
    ours = all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    if not ours or type(model).__module__.partition(".")[0] != "keras":
        return None
    try:
        copied = keras.models.clone_model(model, input_tensors=prepared)
        copied.set_weights(model.get_weights())
        flat = keras.Model(inputs, _as_maps(copied.outputs[0]), name=model.name)
        probe = np.random.default_rng(0).uniform(0, 255, (1, *inputs.shape[1:])).astype("float32")
        same = np.allclose(flat(probe), nested(probe), rtol=1e-3, atol=1e-3)
    # Some layers cannot be made again from what they say of themselves.
    except Exception:
        return None
    return flat if same else None

"""A learning rate for each group of layers, and a test that finds one (lesson 05)."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import keras
import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.errors import InputError
from tlkit.keras_tools import built_model, leaf_layers, place_of
from tlkit.plots import rates as drawings
from tlkit.plots.figures import CourseFigure
from tlkit.range_test import RangeTest as RangeTest
from tlkit.range_test import find_learning_rate as find_learning_rate

Layers = list[keras.layers.Layer]
# The entries of a schedule's configuration that are rates; all else is steps and shares.
_RATES = ("initial_learning_rate", "end_learning_rate", "warmup_target", "values")


def layer_groups(
    model: keras.Model, groups: int | Sequence[str] | Sequence[Layers] = 4
) -> list[Layers]:
    """Split the layers that train into groups, from early to late, the head last.

    The head is all that comes after the last feature maps: the layers behind pooling or
    flattening. If there are no maps it is the last layer that trains. The layers before it are
    split into groups of equal numbers of layers. A layer with no trainable weight, such as frozen
    batch norm, is in no group.

    Args:
        model: A built model: functional, Sequential, nested, or subclassed with its layers as
            attributes. Unfreeze what is to train first.
        groups: How many groups, head included; or the name of the layer or block that each group
            after the first starts with, such as `["block_05", "block_11", "logits"]`; or the groups
            themselves as lists of layers or models, such as `[[base], [head]]`.

    Returns:
        A list of layers for each group.

    Raises:
        InputError: More groups than layers that train, an unknown name, an empty group, or a
            trainable variable that is in no group or in two.

    Example:
        >>> [[layer.name for layer in group] for group in layer_groups(small_network(), 2)][-1]
        ['logits']

    Source: Howard & Ruder 2018, arXiv 1801.06146, section 3.2, "discriminative fine-tuning".
    """
    # Layers that are made of layers stay whole: their parts' names are often the same.
    layers = leaf_layers(built_model(model), whole=True)
    training = [layer for layer in layers if layer.trainable_weights]
    what = f"Nothing trains in the model {model.name!r}."
    demand(training, what, "Build it and unfreeze layers first.")
    if isinstance(groups, int | np.integer):
        parts = _even(layers, training, int(groups))
    else:
        what, mend = f"groups={groups!r} makes no groups.", "Give a number, or a list of names."
        demand(isinstance(groups, list | tuple) and groups, what, mend)
        if all(isinstance(each, str) for each in groups):
            places = [0, *(place_of(name, layers, model.name) for name in groups), len(layers)]
            parts = [layers[start:end] for start, end in pairwise(places)]
        else:
            demand(all(isinstance(each, list | tuple) for each in groups), what, mend)
            if not all(hasattr(layer, "trainable_weights") for each in groups for layer in each):
                raise InputError(what, mend)
            parts = [leaf_layers(each, whole=True) for each in groups]
    parts = [[layer for layer in part if layer.trainable_weights] for part in parts]
    for place, part in enumerate(parts, start=1):
        what = f"Group {place} of {len(parts)} holds no layer that trains."
        demand(part, what, "Name the starts from early to late, and unfreeze what is to train.")
    _check(model, parts)
    return parts


def draw_groups(
    groups: Sequence[Layers], rates: Sequence[float] | None = None, caption: str | None = None
) -> CourseFigure:
    """Draw the groups of a network: a bar for each layer, a colour and a pattern for each group.

    Args:
        groups: As `layer_groups` gives them, from early to late.
        rates: A learning rate for each group, to be written beside it.
        caption: A sentence to print under the figure.

    Returns:
        The figure.

    Raises:
        InputError: No groups, more than there are colours, or not a rate for each.

    Example:
        >>> draw_groups(layer_groups(small_network(), 3), rates=[1e-4, 3e-4, 1e-3])
    """
    sizes = [[(layer.name, layer.count_params()) for layer in group] for group in groups]
    return drawings.draw_groups(sizes, rates, caption)


def differential_optimizer(
    model: keras.Model,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
    ratio: float = 3.0,
    groups: int | Sequence[str] | Sequence[Layers] = 4,
    optimizer: Callable[..., keras.optimizers.Optimizer] = keras.optimizers.AdamW,
) -> keras.optimizers.MultiOptimizer:
    """An optimizer for each group of layers: the head at full rate, each earlier group slower.

    What comes back is plain Keras: a `MultiOptimizer` whose `.optimizers[k]` trains group k. Weight
    decay of AdamW follows its group's rate. A model compiled with it is saved and loaded like any
    other, and no part of tlkit is needed to load it.

    Args:
        model: A built model, with the layers that shall train unfrozen.
        learning_rate: The rate of the last group, or a schedule of it.
        ratio: How many times slower each group is than the next, 1 or more.
        groups: As for `layer_groups`.
        optimizer: A class of optimizers, or a function of `learning_rate` that makes one.

    Returns:
        The optimizer, to be given to `model.compile`.

    Raises:
        InputError: An impossible rate or ratio, a schedule that cannot be scaled, groups that do
            not fit. Used on a model with other variables, it names the first that has no group.

    Example:
        >>> optimizer = differential_optimizer(small_network(), 1e-3, ratio=10, groups=3)
        >>> ["{:.0e}".format(float(each.learning_rate)) for each in optimizer.optimizers[:3]]
        ['1e-05', '1e-04', '1e-03']

    Source: Howard & Ruder 2018, arXiv 1801.06146, section 3.2.
    """
    checks.number(ratio, "ratio", 1, ends=True, such_as=3)
    if not callable(optimizer):
        raise InputError(f"`optimizer` is {optimizer!r}.", "Pass a class, such as SGD.")
    parts = layer_groups(model, groups)
    by_key = {}
    for place, part in enumerate(reversed(parts)):
        made = optimizer(learning_rate=_slower(learning_rate, ratio**place))
        what = f"{optimizer!r} made no Keras optimizer."
        demand(isinstance(made, keras.optimizers.Optimizer), what, "Pass a class, such as SGD.")
        by_key[_key(part)] = made
    # Keras wants an optimizer for all other variables. There should be none.
    rest = keras.optimizers.SGD(0.0, name="no_group")
    rest.build = _refuse
    in_order = dict(reversed(by_key.items()))
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(rest, in_order))


def _even(layers: Layers, training: Layers, groups: int) -> list[Layers]:
    """The head, and before it groups of equal numbers of layers."""
    demand(groups > 0, f"{groups} groups cannot be made.", "Ask for one or more.")
    if groups == 1:
        return [training]
    maps = [len(getattr(getattr(each, "output", None), "shape", ())) > 2 for each in layers]
    behind = layers[len(maps) - maps[::-1].index(True) :] if any(maps) else []
    head = [layer for layer in behind if layer.trainable_weights]
    if not head or len(head) == len(training):
        head = training[-1:]
    body = training[: -len(head)]
    # A cut comes before a layer with a kernel, so that batch norm stays with its convolution.
    starts = [n for n, layer in enumerate(body) if any(len(w.shape) > 1 for w in layer.weights)]
    demand(
        groups - 1 <= len(starts),
        f"{len(body)} layers that train before the head are too few for {groups - 1} groups.",
        "Ask for fewer groups, or unfreeze more layers.",
    )
    cuts = [0, *(int(part[0]) for part in np.array_split(starts, groups - 1)[1:]), len(body)]
    return [*(body[start:end] for start, end in pairwise(cuts)), head]


def _key(layers: Layers) -> str:
    """The pattern of a group's variables: Keras compares it with the whole of `variable.path`.

    What stands before the layer's name is left open, for it is not the same after loading.
    """
    return f"(?:.*/)?(?:{'|'.join(re.escape(layer.name) for layer in layers)})/.*"


def _check(model: keras.Model, parts: list[Layers]) -> None:
    """Every trainable variable belongs to one group, by its layer and by its path."""
    held = [{id(w) for layer in part for w in layer.trainable_weights} for part in parts]
    keys = [_key(part) for part in parts]
    for variable in model.trainable_variables:
        owners = [place for place, ids in enumerate(held, start=1) if id(variable) in ids]
        matches = [n for n, key in enumerate(keys, start=1) if re.fullmatch(key, variable.path)]
        if not owners:
            _refuse([variable])
        demand(
            len(owners) == 1,
            f"The variable {variable.path!r} belongs to groups {' and '.join(map(str, owners))}.",
            "Name each layer in one group only.",
        )
        demand(
            matches == owners,
            f"The path {variable.path!r} does not tell its group: it fits {matches}, not {owners}.",
            "Keras tells variables apart by path, so give every layer a name of its own.",
        )


def _refuse(variables: Sequence) -> None:
    raise InputError(
        f"The variable {variables[0].path!r} belongs to no group of layers, so it has no rate.",
        "Put its layer into a group; after unfreezing more, make the optimizer anew.",
    )


def _slower(rate, factor: float):
    """A rate or a schedule, divided by a factor."""
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        config = rate.get_config()
        for name in _RATES:
            if (value := config.get(name)) is not None:
                config[name] = np.divide(value, factor).tolist()
        slower = type(rate).from_config(config)
        for step in (0, 1, 10, 100, 1000, 10_000):
            demand(
                np.isclose(float(slower(step)) * factor, float(rate(step)), rtol=1e-4),
                f"The schedule {type(rate).__name__} cannot be made {factor:g} times slower.",
                "Use one of keras.optimizers.schedules.",
            )
        return slower
    return checks.number(rate, "learning_rate", 0, such_as=1e-3) / factor

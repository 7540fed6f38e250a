"""The mistakes that `diagnose` knows: each check looks at one thing and yields what is wrong."""

from collections.abc import Iterator

import keras
import numpy as np

from tlkit.diagnosis.findings import finding
from tlkit.diagnosis.subjects import HEAD_ALONE, LOSSES, RANGES, Subject
from tlkit.findings import Finding, Findings

# Layers that make of pictures of any strength the same.
SCALE_FREE = (keras.layers.LayerNormalization, keras.layers.GroupNormalization)


def examine(subject: Subject) -> Findings:
    """Everything that is wrong with a model, errors first."""
    checks = (frozen, compiled, normalised, rates, scaled, answers, labelled)
    found = [each for check in checks for each in check(subject)]
    return Findings(sorted(found, key=lambda each: each.severity))


def frozen(s: Subject) -> Iterator[Finding]:
    """What can move, and whether it should."""
    if not s.model.trainable_variables:
        yield finding("everything is frozen")
        return
    trainable = [layer for layer in s.weighted if layer.trainable_variables]
    below = [layer for layer in s.pretrained if layer in trainable]
    if s.head_is_new and below and s.head in trainable:
        everything = len(trainable) == len(s.weighted)
        yield finding("nothing is frozen" if everything else "head is not trained yet")
    alone = s.pretrained and trainable == [s.head]
    if alone and s.adaptive and s.rate is not None and s.rate <= HEAD_ALONE:
        yield finding("only the head trains", rate=s.rate)


def compiled(s: Subject) -> Iterator[Finding]:
    """Whether what was compiled is what the model is now."""
    if not s.optimized:
        return
    now = {id(variable) for variable in s.model.trainable_variables}
    if s.fitted:
        if now != s.optimized:
            yield finding("trainable changed since compile", count=len(now ^ s.optimized))
    # A model read from a file has no history, and an optimizer that has made steps, rightly.
    elif now != s.optimized or (s.steps and hasattr(s.model, "history")):
        yield finding("optimizer carried over", steps=s.steps)


def normalised(s: Subject) -> Iterator[Finding]:
    """Batch norm with learnt statistics that would be lost."""
    live = [x for x in s.normalisers if x.trainable and x in s.pretrained]
    moving = s.moves(live) if live else []
    if moving:
        yield finding("batch norm will move", count=len(moving))


def rates(s: Subject) -> Iterator[Finding]:
    """A rate that pretrained layers do not stand, or do not feel."""
    if s.rate is None or not any(layer.trainable_variables for layer in s.pretrained):
        return
    low, high = RANGES[s.adaptive]
    if s.rate > high * 1.001:
        yield finding("learning rate too high", rate=s.rate, limit=high)
    if s.rate < low * 0.999:
        yield finding("learning rate too low", rate=s.rate, limit=low)


def scaled(s: Subject) -> Iterator[Finding]:
    """The range in which pictures arrive where the weights begin."""
    if s.images is None or np.ptp(s.shown) <= 0.05 * np.abs(s.shown).max():
        return  # none, or nothing to be seen on them
    noted = s.watched[1]
    layer, first = next(((x, seen) for x, seen in noted if seen.ndim == 4), (None, None))
    if first is None or isinstance(layer, SCALE_FREE):
        return
    low, high = float(first.min()), float(first.max())
    reach = max(abs(low), abs(high))
    spread = float(np.ptp(first, axis=(0, 1, 2)).max())  # each channel may have its own offset
    if spread < max(0.03, 0.05 * reach):
        yield finding("inputs scaled twice", ratio=1 / 255)
        return
    normaliser, seen = next(((x, seen) for x, seen in noted if x in s.normalisers), (None, None))
    if normaliser in s.pretrained:
        # Its statistics remember how strong the signal was that the network learnt from.
        then = np.array(normaliser.moving_variance) + normaliser.epsilon
        ratio = float(np.sqrt(np.median(seen.var(axis=tuple(range(seen.ndim - 1))) / then)))
        if ratio > 10:
            yield finding("inputs not scaled", high=high)
        elif ratio < 0.1:
            yield finding("inputs scaled twice", ratio=ratio)
    elif normaliser is None and low >= 0 and high > 20:  # a new one adapts to any strength
        yield finding("inputs not scaled", high=high)


def answers(s: Subject) -> Iterator[Finding]:
    """Logits or probabilities, and what the loss takes them for."""
    loss, kind = _loss(s)
    softmaxes = [layer for layer in s.leaves[-2:] if _is_softmax(layer)]
    if len(softmaxes) == 2:
        yield finding("softmax twice", where="two layers in a row")
        return
    if kind is None or s.response is None or s.response.ndim != 2:
        return
    last = [getattr(layer, "activation", None) for layer in (s.leaves[-1], s.head)]
    if s.width == 1 and kind != "sparse" and keras.activations.softmax in last:
        yield finding("head does not fit the classes", width=1, classes=s.classes or 2)
        return  # the softmax of one number is 1, whatever it is
    if s.width == 1 or kind == "binary":
        probable = keras.activations.sigmoid in last
        # Logits, too, may all lie between 0 and 1, and a model's own call may end in a sigmoid.
        visible = isinstance(s.model, keras.Sequential) or hasattr(s.model, "operations")
        if not probable and not visible and ((s.response >= 0) & (s.response <= 1)).all():
            return
    else:
        rows = s.response.sum(axis=1)
        probable = bool((s.response >= 0).all() and np.allclose(rows, 1, atol=1e-2))
    from_logits = bool(getattr(loss, "from_logits", False))
    if probable and from_logits:
        yield finding("softmax twice", where="once in the model, once in the loss")
    elif not probable and not from_logits:
        yield finding("logits taken for probabilities")


def labelled(s: Subject) -> Iterator[Finding]:
    """Labels against the loss and the width of the head."""
    if s.labels is None:
        return
    loss, kind = _loss(s)
    if s.labels.dtype.kind not in "iub" and (kind is None or s.labels.ndim == 1):
        return  # numbers to estimate, not classes
    single = s.labels.ndim == 1 or s.labels.shape[1:] == (1,)
    given = "whole numbers" if single else "rows of one number for each class"
    if kind == "sparse" and not single:
        wanted, loss = "whole numbers", "CategoricalCrossentropy, or labels.argmax(axis=1)"
        yield finding("labels do not fit the loss", wanted=wanted, given=given, loss=loss)
        return
    if single and (kind == "categorical" or (kind == "binary" and (s.width or 1) > 1)):
        wanted, loss = "a row of one number for each class", "SparseCategoricalCrossentropy"
        yield finding("labels do not fit the loss", wanted=wanted, given=given, loss=loss)
        return
    if kind is None and loss is not None:
        return  # nobody knows what this loss takes labels for
    if s.width is None or (s.width == 1 and s.classes == 2 and kind != "sparse"):
        return
    if s.width < s.classes or (s.exact and s.width != s.classes):
        yield finding("head does not fit the classes", width=s.width, classes=s.classes)


def _is_softmax(layer) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.Softmax) or activation is keras.activations.softmax


def _loss(s: Subject) -> tuple[object, str | None]:
    """The loss the model was compiled with, and which of the three for classes it is."""
    loss = getattr(s.model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return loss, LOSSES.get(name.replace("_", "").lower())

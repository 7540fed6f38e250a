"""The mistakes that `diagnose` knows: each check looks at one thing and yields what is wrong."""

import functools
import json
from collections.abc import Iterator
from dataclasses import replace

import keras
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import softmax

from tlkit.diagnosis.subjects import HEAD_ALONE, LOSSES, RANGES, Subject
from tlkit.findings import Finding, Findings
from tlkit.paths import card_text

# Layers that make of pictures of any strength the same.
SCALE_FREE = (keras.layers.LayerNormalization, keras.layers.GroupNormalization)


@functools.cache
def known() -> dict[str, dict[str, str]]:
    """All that can be found: for each name its severity, what it means and the mend."""
    return json.loads(card_text("findings.json"))


def finding(name: str, **values: object) -> Finding:
    """A known finding with the values of this model."""
    text = {part: each.format(**values) for part, each in known()[name].items()}
    severity = text["severity"]
    return Finding(name, text["found"], severity == "note", text["mend"], severity)


def examine(subject: Subject) -> Findings:
    """Everything that is wrong with a model, errors first."""
    checks = (frozen, compiled, normalised, rates, scaled, answers, labelled, ordered)
    found = [each for check in checks for each in check(subject)]
    return Findings(sorted(found, key=lambda each: (each.fine, each.severity)))


def frozen(s: Subject) -> Iterator[Finding]:
    """What can move, and whether it should."""
    if not s.model.trainable_variables:
        # It is a mistake only before a training: not compiled, or trained already, it is finished.
        waiting = getattr(s.model, "compiled", False) and not s.steps
        yield finding("everything is frozen" if waiting else "ready for use")
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
    flat = (len(s.shown), s.shown[0].size)  # pictures that a Flatten has made rows of
    pictures = [(x, seen) for x, seen in noted if seen.ndim == 4 or seen.shape == flat]
    layer, first = pictures[0] if pictures else (None, None)
    if first is None or isinstance(layer, SCALE_FREE):
        return
    low, high = float(first.min()), float(first.max())
    reach = max(abs(low), abs(high))
    # Each channel may have its own offset.
    spread = float(np.ptp(first, axis=tuple(range(first.ndim - 1))).max())
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
    if s.response is None or s.response.ndim != 2:
        return
    end = _end(s)
    if len([layer for layer in end if _squeezes(layer)]) > 1:
        yield finding("softmax twice", where="two layers of the model")
        return
    if kind is None:
        return
    last = [getattr(layer, "activation", None) for layer in end]
    if s.width == 1 and kind != "sparse" and keras.activations.softmax in last:
        yield finding("head does not fit the classes", width=1, classes=s.classes or 2)
        return  # the softmax of one number is 1, whatever it is
    probable = bool(((s.response >= 0) & (s.response <= 1)).all())
    named = any(_squeezes(layer) for layer in end) or _last_operation(s) in ("Sigmoid", "Softmax")
    if probable and not named and not np.allclose(s.response.sum(axis=1), 1, atol=1e-2):
        # Logits, too, may all lie between 0 and 1, and a model's own call may end in a sigmoid.
        if not (isinstance(s.model, keras.Sequential) or hasattr(s.model, "operations")):
            return
        probable = False
    from_logits = bool(getattr(loss, "from_logits", False))
    if probable and from_logits and s.squeezes(loss, kind):
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
    if kind is not None and s.labels.min() < 0:
        wanted, loss = "numbers from 0 up", "0 for the first class, 1 for the second, and so on"
        yield finding("labels do not fit the loss", wanted=wanted, given="below 0", loss=loss)
        return
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
    if s.width < s.classes:
        yield finding("head does not fit the classes", width=s.width, classes=s.classes)
    elif s.exact and s.width > s.classes:
        # It trains, but can answer with classes that there are not.
        wide = finding("head does not fit the classes", width=s.width, classes=s.classes)
        yield replace(wide, severity="warning")


def ordered(s: Subject) -> Iterator[Finding]:
    """Whether answer number 1 is label number 1: by their names, else by what a model says."""
    if s.names:
        if tuple(s.names[0]) != tuple(s.names[1]):
            told = [", ".join(names) for names in s.names]
            how = f"The model's classes are {told[0]}, those of the labels {told[1]}"
            yield finding("classes do not match", how=how)
        return
    if s.labels is None or s.labels.ndim != 1 or s.labels.dtype.kind not in "iu":
        return
    if s.head is None or s.head_is_new or s.width != s.classes or s.width < 2:
        return
    sure = s.response
    if sure.min() < 0 or sure.max() > 1:
        sure = softmax(sure, axis=1)
    counts, given = np.zeros((s.width, s.width), int), s.labels[s.chosen]
    np.add.at(counts, (given, sure.argmax(axis=1)), 1)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    right, swapped = np.trace(counts), counts[rows, columns].sum()
    # Only a model that knows the classes well, under other numbers, is blamed.
    several = ((counts > 1).sum(axis=1) > 0).sum() > 1
    knows = swapped >= 0.9 * len(given) and sure.max(axis=1).mean() > 0.8
    if several and knows and right <= 0.5 * len(given):
        how = f"Of {len(given)} answers {right} are right, and {swapped} under other numbers"
        yield finding("classes do not match", how=how)


def _end(s: Subject) -> list:
    """The layers that ran last, back to the last one with weights."""
    end = []
    for layer in reversed(s.ran):
        end.append(layer)
        if layer.weights:
            break
    return end


def _squeezes(layer) -> bool:
    """Whether a layer ends in a softmax or a sigmoid."""
    activation = getattr(layer, "activation", None)
    known = (keras.activations.softmax, keras.activations.sigmoid)
    return isinstance(layer, keras.layers.Softmax) or activation in known


def _last_operation(s: Subject) -> str:
    """What a model made of operations does last."""
    operations = getattr(s.model, "operations", None)
    return type(operations[-1]).__name__ if operations else ""


def _loss(s: Subject) -> tuple[object, str | None]:
    """The loss the model was compiled with, and which of the three for classes it is."""
    loss = getattr(s.model, "loss", None)
    if isinstance(loss, dict):
        loss = list(loss.values())
    if isinstance(loss, list | tuple):  # one for each output
        loss = loss[0] if len(loss) == 1 else None
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return loss, LOSSES.get(name.replace("_", "").lower())

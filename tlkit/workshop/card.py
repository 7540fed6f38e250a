"""A model card in Markdown, written from what was measured (Mitchell et al. 2019, 1810.03993)."""

from typing import TYPE_CHECKING

import numpy as np

from tlkit.paths import read_card
from tlkit.workshop.search import table

if TYPE_CHECKING:
    from tlkit.workshop.classifier import ImageClassifier

# Pictures judged: below, the interval is wide enough to say so.
FEW = 50


def model_card(classifier: "ImageClassifier") -> str:
    """The card of a classifier, as Markdown."""
    about, judged = classifier.about, classifier.held_back
    names = [plain(name) for name in classifier.class_names]
    counts = [f"{name} {count}" for name, count in zip(names, about["counts"], strict=True)]
    notes = [f"- {plain(note)}" for note in classifier.notes]
    right = zip(names, judged.confusion.sum(axis=1), np.diag(judged.confusion), strict=True)
    classes = [f"| {name} | {count} | {recognised} |" for name, count, recognised in right]
    failures = [f"- {failure}" for failure in _failures(classifier, names)]
    tried = (
        f"\n```text\n{table(about['tried']).replace('`', ' ')}\n```\n\n"
        if about.get("tried")
        else ""
    )
    licence = read_card("backbones", "efficientnet-lite0")["licence"]
    line = "\n".join
    return f"""\
<!-- Written by tlkit [tlkit] from what was measured; add what only you know. -->
# A classifier of pictures: {", ".join(names)}

It takes a picture and answers with one of {len(names)} classes and a probability for each. Pictures
are cut to a square and scaled to {classifier.image_size} pixels.

## Training data

- Pictures: {plain(about["name"])}, {sum(about["counts"])} in all; {", ".join(counts)}
- Source: {plain(about["source"]) or "not stated"}
- Licence: {plain(about["licence"]) or "not stated"}
- Left out: {about["skipped"]} files that could not be used
- Pretrained network: EfficientNet-Lite0, trained on ImageNet; licence {licence}

## How it was trained

{line(notes)}
{tried}- Seed {about["seed"]}, {about["seconds"]:.0f} seconds; {about["versions"]}

## How well it does

Accuracy {judged.score}, {judged.how}.

| class | pictures | recognised |
|---|---|---|
{line(classes)}

## Known failures

{line(failures)}
- It answers one of its classes whatever it is shown, also a picture of none of them.
- Pictures of another kind (other cameras, light, places, people) were not tried.
- It was not tested for fairness, and is no basis for decisions about people.
"""


def _failures(classifier: "ImageClassifier", names: list[str]) -> list[str]:
    """Sentences on the mistakes that were seen."""
    judged = classifier.held_back
    wrong = judged.confusion * (1 - np.eye(len(names), dtype=int))
    worst = np.argsort(-wrong, axis=None, kind="stable")[:3]
    found = [
        f"{names[label]} was taken for {names[prediction]} {wrong[label, prediction]} times."
        for label, prediction in zip(*np.unravel_index(worst, wrong.shape), strict=True)
        if wrong[label, prediction]
    ]
    if judged.mistakes:
        surest = judged.mistakes[0]
        found.append(
            f"Its surest mistake: {names[surest.prediction]} with {surest.probability:.0%}, and it "
            f"was {names[surest.label]}. A high probability is no proof."
        )
    else:
        found.append("None was seen, which does not mean that there are none.")
    if judged.score.n < FEW:
        found.append(
            f"It was judged on {judged.score.n} pictures only: the truth may be anywhere from "
            f"{judged.score.low:.0%} to {judged.score.high:.0%}."
        )
    return found


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    flat = " ".join(str(text).split())
    return "".join(f"\\{each}" if each in "\\`*_[]<>|#" else each for each in flat)

"""A model card in Markdown, written from what was measured (Mitchell et al. 2019, 1810.03993)."""

from typing import Any

import numpy as np

from tlkit.paths import read_card

MARK = "<!-- Written by tlkit from what was measured; add what only you know. -->"
FEW = 50  # pictures judged: below, the interval is wide enough to say so


def model_card(classifier: Any) -> str:
    """The card of an `ImageClassifier`.

    Args:
        classifier: What to describe.

    Returns:
        Markdown.
    """
    about, judged = classifier.about, classifier.held_back
    base = read_card("backbones", "efficientnet-lite0")
    names = ", ".join(map(_plain, classifier.class_names))
    lines = [
        MARK,
        f"# A classifier of pictures: {names}",
        "",
        f"It takes a picture and answers with one of {len(classifier.class_names)} classes and a "
        f"probability for each. Pictures are cut to a square and scaled to {classifier.image_size} "
        "pixels.",
        "",
        "## Training data",
        "",
        f"- Pictures: {_plain(about['name'])}, {sum(about['counts'])} in all; "
        + ", ".join(
            f"{_plain(name)} {count}"
            for name, count in zip(classifier.class_names, about["counts"], strict=True)
        ),
        f"- Source: {_plain(about['source']) or 'not stated'}",
        f"- Licence: {_plain(about['licence']) or 'not stated'}",
        f"- Left out: {about['skipped']} files that could not be used",
        f"- Pretrained network: EfficientNet-Lite0, trained on ImageNet; licence {base['licence']}",
        "",
        "## How it was trained",
        "",
        *(f"- {_plain(note)}" for note in classifier.notes),
        f"- Seed {about['seed']}, {about['seconds']:.0f} seconds; " + about["versions"],
        "",
        "## How well it does",
        "",
        f"Accuracy {judged.score}, {judged.how}.",
        "",
        "| class | pictures | recognised |",
        "|---|---|---|",
    ]
    for name, row, share in zip(
        classifier.class_names, judged.confusion, judged.recall, strict=True
    ):
        lines.append(f"| {_plain(name)} | {row.sum()} | {share:.0%} |")
    return "\n".join([*lines, "", "## Known failures", "", *_failures(classifier), ""])


def _failures(classifier: Any) -> list[str]:
    judged, names = classifier.held_back, [_plain(name) for name in classifier.class_names]
    wrong = judged.confusion * (1 - np.eye(len(names), dtype=int))
    worst = np.argsort(-wrong, axis=None, kind="stable")[:3]
    lines = [
        f"- {names[true]} was taken for {names[answer]} {wrong[true, answer]} times."
        for true, answer in (divmod(int(each), len(names)) for each in worst)
        if wrong[true, answer]
    ]
    if judged.mistakes:
        sure = judged.mistakes[0]
        lines.append(
            f"- Its surest mistake: {names[sure.answer]} with {sure.probability:.0%}, and it was "
            f"{names[sure.label]}. A high probability is no proof."
        )
    else:
        lines.append("- None was seen, which does not mean that there are none.")
    if judged.score.n < FEW:
        lines.append(
            f"- It was judged on {judged.score.n} pictures only: the truth may be anywhere from "
            f"{judged.score.low:.0%} to {judged.score.high:.0%}."
        )
    return [
        *lines,
        "- It answers one of its classes whatever it is shown, also a picture of none of them.",
        "- Pictures of another kind (other cameras, light, places, people) were not tried.",
        "- It was not tested for fairness, and is no basis for decisions about people.",
    ]


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    flat = " ".join(str(text).split())
    return "".join(f"\\{each}" if each in "\\`*_[]<>|#" else each for each in flat)

"""How long a lesson takes to work through, counted.

python -m tools.build.minutes [03 …]

What is read counts 200 words a minute: prose, code that is not folded, printed output. A picture
takes 20 seconds, a question of the quiz 45, a widget 90; an exercise a minute if it is to predict,
two to change something, four to mend, five to write. Waiting for the computer is what was measured.
What stands under "Your turn" and below the quiz is extra.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from tools.build.lessons import lesson_times, notebook_path, stems
from tools.build.notebook_rules import tags

WORDS_A_MINUTE = 200
PICTURE, QUESTION, WIDGET = 20 / 60, 45 / 60, 90 / 60
EXERCISE = {"predict": 1, "change": 2, "mend": 4, "write": 5}
# The heading from which on nothing counts.
EXTRA = "Your turn"


@dataclass(frozen=True)
class Length:
    """What a learner meets in a lesson, up to "Your turn", and the quiz.

    Args:
        words: Of prose.
        visible: Cells of code that are not folded.
        folded: Cells that are.
        claims: Claims in visible cells.
        pictures: Stored pictures.
        exercises: Cells to answer in.
        minutes: All of it, and the waiting.
    """

    words: int
    visible: int
    folded: int
    claims: int
    pictures: int
    exercises: int
    minutes: float


def length(notebook: NotebookNode, waiting: float = 0.0) -> Length:
    """Count a lesson.

    Args:
        notebook: With its outputs.
        waiting: Minutes that the computer takes.

    Returns:
        The counts.
    """
    words = read = visible = folded = claims = pictures = exercises = 0
    minutes, kind, extra = waiting, "", False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            extra = extra or bool(re.search(rf"^#+ {EXTRA}", cell.source, re.MULTILINE))
            found = re.search(r"^\*\*(?:\d+\. )?(Predict|Change|Mend|Write)", cell.source, re.M)
            kind = found[1].lower() if found else kind
            if not extra:
                words += count_words(cell.source)
            continue
        is_quiz = "quiz" in tags(cell)
        pages = ["".join(o.get("data", {}).get("text/html", "")) for o in cell.outputs]
        if is_quiz:
            asked = sum(len(re.findall(r"<p><b>\d+\.</b>", page)) for page in pages)
            minutes += QUESTION * asked
            continue
        if extra or "setup" in tags(cell):
            continue
        hidden = bool(cell.metadata.get("jupyter", {}).get("source_hidden"))
        folded, visible = folded + hidden, visible + (not hidden)
        claims += 0 if hidden else len(re.findall(r"^\s*claim\(", cell.source, re.MULTILINE))
        read += 0 if hidden else count_words(cell.source)
        for output in cell.outputs:
            data = output.get("data", {})
            is_picture = any(name.startswith("image/") for name in data)
            pictures += is_picture
            read += (
                0 if is_picture else count_words(output.get("text") or data.get("text/plain", ""))
            )
        if "exercise" in tags(cell):
            exercises += 1
            minutes += EXERCISE.get(kind, 1)
        minutes += WIDGET * len(re.findall(r"\bexplore\(", cell.source))
    minutes += (words + read) / WORDS_A_MINUTE + pictures * PICTURE
    return Length(words, visible, folded, claims, pictures, exercises, minutes)


def count_words(text: str) -> int:
    """Words and numbers; signs alone are none."""
    return len(re.findall(r"\w+", text))


def main() -> None:
    """Print a table."""
    print("lesson                          words visible folded claims pictures exercises minutes")
    for stem in stems(sys.argv[1:]):
        seconds = lesson_times().get(stem, {}).get("learner_seconds", 0)
        found = length(nbformat.read(notebook_path(stem), as_version=4), seconds / 60)
        print(
            f"{stem:31} {found.words:5} {found.visible:7} {found.folded:6} {found.claims:6} "
            f"{found.pictures:8} {found.exercises:9} {found.minutes:7.0f}"
        )


if __name__ == "__main__":
    main()

"""What a saved classifier says of itself beside its model, and the way back."""

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.data import duplicates
from tlkit.errors import DamagedFileError
from tlkit.workshop.card import model_card
from tlkit.workshop.evaluation import Evaluation, Mistake

if TYPE_CHECKING:
    import keras

    from tlkit.workshop.classifier import ImageClassifier

FORMAT = "tlkit classifier 1"


def collect(classifier: "ImageClassifier") -> dict[str, Any]:
    """All but the model, as JSON can hold it."""
    prints = io.BytesIO()
    np.save(prints, classifier.prints)
    return {
        "format": FORMAT,
        "class_names": classifier.class_names,
        "notes": classifier.notes,
        "about": classifier.about,
        "held_back": {
            "confusion": classifier.held_back.confusion.tolist(),
            "how": classifier.held_back.how,
            "mistakes": classifier.held_back.mistakes,
        },
        "prints": base64.b64encode(prints.getvalue()).decode(),
    }


def restore(
    kind: type["ImageClassifier"], model: "keras.Model", facts: dict[str, Any], file: str
) -> "ImageClassifier":
    """The classifier, if every fact fits the model.

    Raises:
        DamagedFileError: One does not.
    """
    try:
        assert facts["format"] == FORMAT
        names = tuple(facts["class_names"])
        assert model.output_shape == (None, len(names)) and len(model.input_shape) == 4
        assert model.layers[-2].name == "pool" and model.layers[-1].name == "head"
        assert len(names) > 1 and all(isinstance(each, str) for each in names)
        judged = facts["held_back"]
        confusion = np.array(judged["confusion"], dtype=int)
        assert confusion.shape == (len(names),) * 2 and confusion.min() >= 0 < confusion.sum()
        mistakes = tuple(Mistake(*each) for each in judged["mistakes"])
        prints = np.load(io.BytesIO(base64.b64decode(facts["prints"])), allow_pickle=False)
        assert prints.ndim == 2 and prints.shape[1] == duplicates.NUMBERS + 1
        held_back = Evaluation(confusion, names, str(judged["how"]), mistakes)
        restored = kind(model, names, held_back, tuple(facts["notes"]), facts["about"], prints)
        model_card(restored)  # uses every fact there is
    except Exception:
        raise DamagedFileError(
            f"What {file!r} says of itself does not fit its model.",
            "Save it anew, or fetch it again.",
        ) from None
    return restored

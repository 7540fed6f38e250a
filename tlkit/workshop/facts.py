"""What a saved classifier says of itself beside its model, and the way back."""

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.data.copies import NUMBERS
from tlkit.workshop.evaluation import Evaluation, Mistake

if TYPE_CHECKING:
    import keras

    from tlkit.workshop.classifier import ImageClassifier

FORMAT = "tlkit classifier 1"


def to_json(classifier: "ImageClassifier") -> dict[str, Any]:
    """All but the model, as JSON can hold it."""
    prints, judged = io.BytesIO(), classifier.held_back
    np.save(prints, classifier.prints)
    return {
        "format": FORMAT,
        "class_names": classifier.class_names,
        "notes": classifier.notes,
        "about": classifier.about,
        "held_back": {
            "confusion": judged.confusion.tolist(),
            "how": judged.how,
            "mistakes": judged.mistakes,
        },
        "prints": base64.b64encode(prints.getvalue()).decode(),
    }


def from_json(facts: dict[str, Any], model: "keras.Model") -> dict[str, Any]:
    """The fields of a classifier; raises one error or another if they do not fit its model."""
    names, judged = tuple(facts["class_names"]), facts["held_back"]
    confusion = np.array(judged["confusion"], dtype=int)
    prints = np.load(io.BytesIO(base64.b64decode(facts["prints"])), allow_pickle=False)
    fits = (
        facts["format"] == FORMAT
        and len(names) > 1
        and all(isinstance(name, str) for name in names)
        and (model.output_shape, len(model.input_shape)) == ((None, len(names)), 4)
        and [layer.name for layer in model.layers[-2:]] == ["pool", "head"]
        and confusion.shape == (len(names),) * 2
        and confusion.min() >= 0 < confusion.sum()
        and prints.shape[1:] == (2 * NUMBERS,)
    )
    if not fits:
        raise ValueError("classes, figures or fingerprints")
    mistakes = tuple(Mistake(*each) for each in judged["mistakes"])
    held_back = Evaluation(confusion, names, str(judged["how"]), mistakes)
    notes = tuple(facts["notes"])
    return {
        "class_names": names,
        "held_back": held_back,
        "notes": notes,
        "about": facts["about"],
        "prints": prints,
    }

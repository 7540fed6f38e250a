"""A trained classifier: use it, judge it, explain it, save it, take it elsewhere (lesson 07)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tlkit import checks
from tlkit.data import ImageDataset, copies_of_known, read_pictures
from tlkit.data.names import labels_by_name
from tlkit.data.reading import middle_square
from tlkit.workshop import facts, files
from tlkit.workshop.card import model_card
from tlkit.workshop.evaluation import Evaluation, evaluate
from tlkit.workshop.export import Export, export
from tlkit.workshop.search import table

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class ImageClassifier:
    """A trained classifier, with all that is needed to use, judge and hand it on.

    Args:
        model: From RGB 0–255 (N, size, size, 3) to logits (N, classes).
        class_names: What each class is called.
        held_back: How it did on pictures that it did not learn from.
        notes: Sentences on how it was trained and what was found in the pictures.
        about: Facts for the model card.
        prints: Fingerprints of the training pictures, to recognise copies.
    """

    model: "keras.Model"
    class_names: tuple[str, ...]
    held_back: Evaluation
    notes: tuple[str, ...]
    about: dict[str, Any]
    prints: np.ndarray

    @property
    def image_size(self) -> int:
        """Height and width of the pictures, in pixels."""
        return int(self.model.input_shape[1])

    def __repr__(self) -> str:
        names = ", ".join(self.class_names)
        lines = [f"<ImageClassifier of {names}, {self.image_size} pixels>", repr(self.held_back)]
        return "\n".join([*lines, *(f"- {note}" for note in self.notes), *self._tried()])

    def _tried(self) -> list[str]:
        """What "auto" tried, as a table; nothing where it was told what to do."""
        tried = self.about.get("tried")
        return [table(tried)] if tried else []

    def pictures(self, images: Any) -> np.ndarray:
        """Pictures in the form that the model takes.

        Args:
            images: A path or a list of paths; or an array (N, H, W, 3) or (H, W, 3), RGB 0–255.

        Returns:
            (N, size, size, 3), cut to the middle square and scaled.

        Raises:
            InputError: Something that is no picture.
            MissingFileError: A path that leads nowhere.

        Example:
            >>> classifier.pictures("cat.jpg").shape                        # doctest: +SKIP
            (1, 160, 160, 3)
        """
        size, several = self.image_size, images if isinstance(images, list | tuple) else [images]
        if any(isinstance(each, str | Path) for each in several):
            return read_pictures(images, size, self.about.get("white"))
        images = checks.array(images, "The list of pictures")
        images = checks.picture(images) if images.ndim == 3 else checks.pictures(images)
        if images.shape[1:3] == (size, size):
            return images
        images = images.round().astype("uint8")
        return np.stack([middle_square(Image.fromarray(image), size) for image in images])

    def predict(self, images: Any) -> np.ndarray:
        """Probabilities for each class.

        Args:
            images: A path or a list of paths; or an array (N, H, W, 3) or (H, W, 3), RGB 0–255.

        Returns:
            float64 (N, classes), each row with the sum 1.

        Raises:
            InputError: Something that is no picture.
            MissingFileError: A path that leads nowhere.

        Example:
            >>> classifier.predict("cat.jpg").round(2)                      # doctest: +SKIP
            array([[0.98, 0.02]])
        """
        from scipy.special import softmax

        from tlkit.features import extract_features

        # Without its head it is the frozen network, whose graph is at hand when it was trained on.
        *_, body, _, head = self.model.layers
        images = self.pictures(images)
        features = extract_features(self.model, images, layer=body.name, cache=False)
        return softmax(np.asarray(head(features), "float64"), axis=1)

    def matching(self, data: ImageDataset) -> ImageDataset:
        """Other labelled pictures, with the classes and the size of this classifier.

        Args:
            data: Pictures with the same classes, by name; in any order, or some of them.

        Returns:
            The same pictures, with labels that mean what the classifier's do.

        Raises:
            InputError: No pictures, or other classes.

        Example:
            >>> classifier.matching(test).class_names                       # doctest: +SKIP
            ('cat', 'dog')
        """
        labels = labels_by_name(checks.dataset(data), self.class_names)
        return ImageDataset(self.pictures(data.images), labels, self.class_names)

    def evaluate(self, test: ImageDataset) -> Evaluation:
        """How well it does on pictures with labels.

        Copies of training pictures among them are found, for they flatter the result.

        Args:
            test: Pictures that it has not seen, with the same classes, by name.

        Returns:
            An `Evaluation`: `accuracy`, `interval` (95 %), `confusion`, `mistakes`, `copies`.

        Raises:
            InputError: No pictures, or other classes.

        Example:
            >>> print(classifier.evaluate(test))                            # doctest: +SKIP
            97.0% (95 % interval 93.6% to 98.6%, n = 200), new pictures
        """
        test = self.matching(test)
        copies = np.flatnonzero(copies_of_known(test.images, self.prints).of >= 0)
        return evaluate(test, self.predict(test.images), "new pictures", copies)

    def explain(self, image: Any, class_name: str | None = None) -> "Figure":
        """Where in a picture the evidence for a class is (Grad-CAM).

        Args:
            image: A path, or an array (H, W, 3).
            class_name: Which class; the likeliest if None.

        Returns:
            A figure: the picture, and the picture with a heat-map.

        Raises:
            InputError: Not one picture, or an unknown class.

        Example:
            >>> classifier.explain("cat.jpg")                               # doctest: +SKIP
        """
        from tlkit.explain import grad_cam
        from tlkit.plots import heat_overlay

        batch = self.pictures(image)
        checks.demand(len(batch) == 1, f"There are {len(batch)} pictures.", "Pass one of them.")
        [probabilities] = self.predict(batch)
        if class_name is None:
            class_name = self.class_names[probabilities.argmax()]
        index = self.class_names.index(checks.choice(class_name, self.class_names, "class"))
        heat = grad_cam(self.model, batch[0], index)
        return heat_overlay(batch[0], heat, f"{class_name} {probabilities[index]:.0%}")

    def card(self, path: str | Path | None = None) -> str:
        """A model card: data, licence, accuracy with its interval, known failures.

        Args:
            path: A `.md` file to write it to, if any. One that you edited is not written over.

        Returns:
            The card as Markdown.

        Raises:
            InputError: A file of that name was edited, or is none of tlkit's, or cannot be written.

        Example:
            >>> classifier.card("model.md").splitlines()[1]                 # doctest: +SKIP
            '# A classifier of pictures: cat, dog'
        """
        text = files.stamped(model_card(self))
        if path is not None:
            path = checks.path(path, ".md")
            files.refuse_edited(path)
            files.write_file(path, text.encode(), "card")
        return text

    def save(self, path: str | Path) -> Path:
        """Save it in one file: model, preprocessing, class names, and what was measured.

        Args:
            path: The file; its name ends in `.keras`. An older classifier there is replaced.

        Returns:
            The path.

        Raises:
            InputError: Another ending, a model of other origin, or a place that cannot be written.

        Example:
            >>> classifier.save("model.keras").name                         # doctest: +SKIP
            'model.keras'
        """
        path = checks.path(path, ".keras")
        files.save(self.model, facts.to_json(self), path)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "ImageClassifier":
        """Read what `save` wrote. Files that are damaged, or hold what could do harm, are refused.

        Args:
            path: The file.

        Returns:
            The classifier.

        Raises:
            MissingFileError: There is no such file.
            InputError: The name does not end in `.keras`.
            DamagedFileError: It is damaged, no classifier of tlkit, or not to be trusted.

        Example:
            >>> ImageClassifier.load("model.keras").class_names             # doctest: +SKIP
            ('cat', 'dog')
        """
        path = checks.path(path, ".keras", there="file")
        model, said = files.load(path)
        with files.opening(path, "says of itself what does not fit its model"):
            classifier = cls(model, **facts.from_json(said, model))
            # The card uses every fact there is.
            classifier.card()
        return classifier

    def export(
        self,
        path: str | Path,
        format: str = "onnx",
        quantised: bool = False,
        calibrate: ImageDataset | None = None,
        test: ImageDataset | None = None,
        script: str | None = "predict.py",
    ) -> Export:
        """Write it in a form that runs without Keras, and a short script that runs it.

        The file takes RGB 0–255 (N, size, size, 3) and gives probabilities. It is run here and
        compared with Keras before it is written.

        Args:
            path: The file; its name ends in `.onnx` or `.tflite`.
            format: `"onnx"` or `"litert"`.
            quantised: Keep the weights in 8 bits: a quarter of the size. Only for LiteRT.
            calibrate: Training pictures; with them a quantised file also calculates in 8 bits.
            test: Pictures with the same classes, to measure what the export costs in accuracy.
            script: Name of the script, written beside the file; None for none. One that you edited,
                or that runs another file, is not written over.

        Returns:
            An `Export`: size, time for a picture, largest difference, accuracy before and after.

        Raises:
            InputError: A format, an ending or a place that does not fit, or other classes.
            MissingFileError: A package that the format needs is not installed.
            DamagedFileError: The exported file disagrees with Keras.

        Example:
            >>> classifier.export("model.tflite", format="litert")          # doctest: +SKIP
            model.tflite: 13.4 MB, 2.1 ms a picture
        """
        return export(self, path, format, quantised, calibrate, test, script)

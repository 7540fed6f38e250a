"""A trained classifier: use it, judge it, explain it, save it, take it elsewhere (lesson 07)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.data import duplicates
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError
from tlkit.workshop import files
from tlkit.workshop.card import MARK, model_card
from tlkit.workshop.evaluation import Evaluation, evaluate
from tlkit.workshop.export import Export, export, refuse_others
from tlkit.workshop.facts import collect, restore
from tlkit.workshop.given import as_batch

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
        return "\n".join([*lines, *(f"- {note}" for note in self.notes)])

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
        return as_batch(images, self.model)

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
        from tlkit.features import extract_features
        from tlkit.workshop.training import softmax

        # Without its head it is the frozen network, whose graph is at hand when it was trained on.
        body, head = self.model.layers[-3].name, self.model.layers[-1]
        features = extract_features(self.model, self.pictures(images), layer=body, cache=False)
        return softmax(head(features))

    def evaluate(self, test: ImageDataset) -> Evaluation:
        """How well it does on pictures with labels.

        Copies of training pictures among them are found, for they flatter the result.

        Args:
            test: Pictures that it has not seen, with the same classes.

        Returns:
            An `Evaluation`: `accuracy`, `interval` (95 %), `confusion`, `mistakes`, `copies`.

        Raises:
            InputError: No pictures, or other classes.

        Example:
            >>> print(classifier.evaluate(test))                            # doctest: +SKIP
            97.0% (95 % interval 93.6% to 98.6%, n = 200), new pictures
        """
        if not isinstance(test, ImageDataset) or not len(test):
            raise InputError("There are no pictures to judge by.", "Pass an ImageDataset.")
        unknown = [name for name in test.class_names if name not in self.class_names]
        if unknown:
            raise InputError(
                f"The classifier knows no class {unknown[0]!r}.",
                f"Its classes are: {', '.join(self.class_names)}.",
            )
        place = np.array([self.class_names.index(name) for name in test.class_names])
        images = self.pictures(test.images)
        copies = duplicates.copies_of(duplicates.fingerprints(images), self.prints)
        shares = self.predict(images)
        return evaluate(
            images, place[test.labels], shares, self.class_names, "new pictures", copies
        )

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
        if len(batch) != 1 or class_name not in (None, *self.class_names):
            raise InputError(
                f"{len(batch)} pictures and the class {class_name!r} cannot be explained.",
                f"Pass one picture, and one of {', '.join(self.class_names)}.",
            )
        shares = self.predict(batch)[0]
        index = int(shares.argmax()) if class_name is None else self.class_names.index(class_name)
        heat = grad_cam(self.model, batch[0], index)
        return heat_overlay(batch[0], heat, f"{self.class_names[index]} {shares[index]:.0%}")

    def card(self, path: str | Path | None = None) -> str:
        """A model card: data, licence, accuracy with its interval, known failures.

        Args:
            path: A `.md` file to write it to, if any.

        Returns:
            The card as Markdown.

        Raises:
            InputError: There is another file of that name, or it cannot be written.

        Example:
            >>> classifier.card("model.md").splitlines()[1]                 # doctest: +SKIP
            '# A classifier of pictures: cat, dog'
        """
        text = model_card(self)
        if path is not None:
            path = Path(path).expanduser()
            refuse_others(path, MARK)
            files.write_file(path, lambda file: file.write(text.encode()), "card")
        return text

    def save(self, path: str | Path) -> Path:
        """Save it in one file: model, preprocessing, class names, and what was measured.

        Args:
            path: The file; its name ends in `.keras`. One of that name is replaced.

        Returns:
            The path.

        Raises:
            InputError: Another ending, or a place that cannot be written.

        Example:
            >>> classifier.save("model.keras").name                         # doctest: +SKIP
            'model.keras'
        """
        path = files.keras_path(path)
        files.save(self.model, collect(self), path)
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
        path = files.keras_path(path)
        model, facts = files.load(path)
        return restore(cls, model, facts, path.name)

    def export(
        self,
        path: str | Path,
        format: str = "onnx",
        quantised: bool = False,
        calibrate: ImageDataset | None = None,
        test: ImageDataset | None = None,
        script: str | None = "predict.py",
    ) -> Export:
        """Write it in a form that runs without Keras, and a script of a dozen lines that runs it.

        The file takes RGB 0–255 (N, size, size, 3) and gives probabilities. It is run here and
        compared with Keras before it is written.

        Args:
            path: The file; its name ends in `.onnx` or `.tflite`.
            format: `"onnx"` or `"litert"`.
            quantised: Keep the weights in 8 bits: a quarter of the size. Only for LiteRT.
            calibrate: Training pictures; with them a quantised file also calculates in 8 bits.
            test: Pictures with labels, to measure what the export costs in accuracy.
            script: Name of the script, written beside the file; None for none.

        Returns:
            An `Export`: size, time for a picture, largest difference, accuracy before and after.

        Raises:
            InputError: A format, an ending or a place that does not fit.
            MissingFileError: A package that the format needs is not installed.
            DamagedFileError: The exported file disagrees with Keras.

        Example:
            >>> classifier.export("model.tflite", format="litert")          # doctest: +SKIP
            model.tflite: 13.4 MB, 2.1 ms a picture
        """
        for data in (calibrate, test):
            if data is not None and tuple(data.images.shape[1:3]) != (self.image_size,) * 2:
                raise InputError(
                    f"The pictures are not of {self.image_size} pixels.",
                    f"Load them with image_size={self.image_size}.",
                )
        return export(self, path, format, quantised, calibrate, test, script)

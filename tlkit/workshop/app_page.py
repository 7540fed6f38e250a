"""The workshop as a small program in the page, of stock ipywidgets (versions 7 and 8)."""

import hashlib
import html
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit.checks import demand
from tlkit.data.files import LARGE, short_side, suitable_size
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError, TlkitError
from tlkit.workshop.strategies import STRATEGIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tlkit.workshop.classifier import ImageClassifier

WORDS = "A program to choose pictures, train and try (in a running notebook)."


def app() -> None:
    """Show a small program in the page: choose pictures, train, try. Nothing has to be typed.

    It needs a running notebook; ipywidgets 7 and 8 will do. A stored page says what stands here.

    Example:
        >>> app()                                                           # doctest: +SKIP
    """
    from IPython.display import display

    box = build(Workshop())["box"]
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display({"application/vnd.jupyter.widget-view+json": view, "text/plain": WORDS}, raw=True)


def uploaded(value: Any) -> list[tuple[str, bytes]]:
    """Names and contents of what a FileUpload holds: a dict in ipywidgets 7, a tuple in 8."""
    if isinstance(value, dict):
        return [(name, bytes(each["content"])) for name, each in value.items()]
    return [(each["name"], bytes(each["content"])) for each in value]


class Workshop:
    """What the program does, apart from how it looks: pictures in, a classifier out."""

    def __init__(self):
        self.pictures: dict[str, dict[bytes, np.ndarray]] = {}
        self.sides: list[int | None] = []
        self.classifier: ImageClassifier | None = None

    def add(self, class_name: str, files: list[tuple[str, bytes]]) -> str:
        """Take pictures of a class; says what there is now, and what could not be used."""
        name = " ".join(class_name.split())
        demand(name, "These pictures have no class yet.", "Write its name, and press Add again.")
        demand(files, "No pictures were chosen.", "Press “its pictures”, and choose some.")
        read, unusable = {}, []
        for file, content in files:
            try:
                read[hashlib.sha256(content).digest()] = picture_from(file, content)
                self.sides.append(short_side(io.BytesIO(content)))
            except InputError as error:
                unusable.append(error.what)
        if read:
            # A class that differs in capitals alone is the same to whoever reads it.
            spelt = {each.casefold(): each for each in self.pictures}
            self.pictures.setdefault(spelt.get(name.casefold(), name), {}).update(read)
        there = [f"{len(kept)} of {each!r}" for each, kept in self.pictures.items()]
        return "\n".join([", ".join(there) or "No pictures yet.", *unusable])

    def train(self, folder: str = "", strategy: str = "auto") -> "ImageClassifier":
        """Train on a folder, or on what was uploaded when none is named."""
        from tlkit.data import load_pictures
        from tlkit.workshop.train import train_classifier

        data = load_pictures(Path(folder.strip())) if folder.strip() else self.dataset()
        self.classifier = train_classifier(data, strategy)
        return self.classifier

    def dataset(self) -> ImageDataset:
        """What was uploaded."""
        demand(
            len(self.pictures) > 1,
            f"There are pictures of {len(self.pictures)} classes; two are the least.",
            "Name another class, choose its pictures, and press Add.",
        )
        images = [image for kept in self.pictures.values() for image in kept.values()]
        labels = np.repeat(np.arange(len(self.pictures)), [*map(len, self.pictures.values())])
        data = ImageDataset(np.stack(images), labels, tuple(self.pictures), "uploaded pictures")
        return data.resized(suitable_size(self.sides))

    def try_out(self, file: str, content: bytes) -> tuple["Figure", str]:
        """What the classifier predicts for a picture: a figure and a sentence."""
        demand(self.classifier, "There is no classifier yet.", "Press Train first.")
        image = picture_from(file, content, self.classifier.image_size)
        [probabilities] = self.classifier.predict(image)
        names = self.classifier.class_names
        first = probabilities.argsort()[::-1][:3]
        words = ", ".join(f"{names[each]} {probabilities[each]:.0%}" for each in first)
        return self.classifier.explain(image), words


def picture_from(file: str, content: bytes, size: int = LARGE) -> np.ndarray:
    """An uploaded picture, uint8 (size, size, 3)."""
    from tlkit.data.reading import Unusable, read_picture

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        path.write_bytes(content)
        try:
            return read_picture(path, size)
        except Unusable as reason:
            what = f"{file!r} cannot be used: {reason}."
            raise InputError(what, "Choose another picture.") from None


def build(shop: Workshop) -> dict[str, Any]:
    """The controls, by name, wired to a `Workshop`; `box` holds them all."""
    import ipywidgets as w

    wide = {"description_width": "initial"}
    it = {
        "class_name": w.Text(description="A class:", placeholder="such as cat", style=wide),
        "upload": w.FileUpload(description="its pictures", accept="image/*", multiple=True),
        "add": w.Button(description="Add"),
        "folder": w.Text(description="or a folder:", placeholder="pictures/", style=wide),
        "strategy": w.Dropdown(options=[*STRATEGIES], value="features", description="Strategy:"),
        "train": w.Button(description="Train", button_style="primary"),
        "test": w.FileUpload(description="one picture", accept="image/*", multiple=False),
        "try": w.Button(description="Try it"),
        "status": w.HTML(),
        "out": w.Output(),
    }

    def on_click(name: str, busy: str, act: Callable[[], str]) -> None:
        """Let a button do something, and say in the status line what came of it."""

        def click(_button: Any) -> None:
            it[name].disabled = True
            it["status"].value = busy
            it["out"].clear_output()
            with it["out"]:
                try:
                    said = act()
                except TlkitError as error:
                    said = str(error)
                # In a callback it would vanish without a word.
                except Exception as error:
                    said = f"That did not work. {type(error).__name__}: {error}"
            it["status"].value = f"<b>{html.escape(said)}</b>".replace("\n", "<br>")
            it[name].disabled = False

        it[name].on_click(click)

    def add() -> str:
        return shop.add(it["class_name"].value, uploaded(it["upload"].value))

    def train() -> str:
        from IPython.display import display

        began = time.perf_counter()
        judged = shop.train(it["folder"].value, it["strategy"].value).held_back
        print(shop.classifier)
        display(judged.draw(), judged.show_mistakes())
        return f"Trained in {time.perf_counter() - began:.0f} seconds."

    def try_out() -> str:
        from IPython.display import display

        chosen = uploaded(it["test"].value)
        demand(chosen, "No picture was chosen.", "Press “one picture”, and choose it.")
        figure, words = shop.try_out(*chosen[-1])
        display(figure)
        return words

    on_click("add", "Reading the pictures …", add)
    on_click("train", "Training …", train)
    on_click("try", "Looking at it …", try_out)
    rows = [("class_name", "upload", "add"), ("folder", "strategy", "train"), ("test", "try")]
    lines = [w.HBox([it[name] for name in row]) for row in rows]
    it["box"] = w.VBox([*lines, it["status"], it["out"]])
    return it

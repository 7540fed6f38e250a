"""The workshop as a small program in the page, of stock ipywidgets (versions 7 and 8)."""

import html
import tempfile
from pathlib import Path
from typing import Any

from tlkit.errors import InputError, TlkitError

WORDS = "A program to choose pictures, train and try (in a running notebook)."


def uploaded(value: Any) -> list[tuple[str, bytes]]:
    """Names and contents of what a FileUpload holds: a dict in ipywidgets 7, a tuple in 8."""
    if isinstance(value, dict):
        return [(name, bytes(each["content"])) for name, each in value.items()]
    return [(each["name"], bytes(each["content"])) for each in value]


class Workshop:
    """What the program does, apart from how it looks: pictures in, a classifier out."""

    def __init__(self):
        self._kept = tempfile.TemporaryDirectory(prefix="tlkit-")
        self.counts: dict[str, int] = {}
        self.classifier = None

    @property
    def folder(self) -> Path:
        """Where uploaded pictures are kept until the program ends."""
        return Path(self._kept.name)

    def add(self, class_name: str, files: list[tuple[str, bytes]]) -> str:
        """Take pictures of a class; says what there is now."""
        name = " ".join(class_name.split())
        if not name or name.startswith(".") or any(each in name for each in '/\\:*?"<>|'):
            raise InputError(f"{class_name!r} is no name for a class.", "Use letters and spaces.")
        if not files:
            raise InputError("No pictures were chosen.", "Press the button and choose some.")
        place = self.folder / name
        place.mkdir(exist_ok=True)
        for _, content in files:
            self.counts[name] = self.counts.get(name, 0) + 1
            (place / f"{self.counts[name]}.picture").write_bytes(content)
        return ", ".join(f"{count} of {each!r}" for each, count in self.counts.items())

    def train(self, folder: str = "", strategy: str = "auto") -> Any:
        """Train on a folder, or on what was uploaded when none is named."""
        from tlkit.data.datasets import load_folder
        from tlkit.workshop.train import train_classifier

        self.classifier = train_classifier(load_folder(folder.strip() or self.folder), strategy)
        return self.classifier

    def try_out(self, content: bytes) -> tuple[Any, str]:
        """What the classifier says of a picture: a figure and a sentence."""
        if self.classifier is None:
            raise InputError("There is no classifier yet.", "Train one first.")
        path = self.folder.with_name(f"{self.folder.name}.picture")
        try:
            path.write_bytes(content)
            [shares] = self.classifier.predict(path)
            figure = self.classifier.explain(path)
        finally:
            path.unlink(missing_ok=True)
        names = self.classifier.class_names
        order = shares.argsort()[::-1]
        return figure, ", ".join(f"{names[each]} {shares[each]:.0%}" for each in order[:3])


def build(shop: Workshop) -> dict[str, Any]:
    """The controls, by name, wired to a `Workshop`; `box` holds them all."""
    import ipywidgets as w

    wide = {"description_width": "initial"}
    it = {
        "class_name": w.Text(description="A class:", placeholder="such as cat", style=wide),
        "upload": w.FileUpload(description="its pictures", accept="image/*", multiple=True),
        "folder": w.Text(description="or a folder:", placeholder="pictures/", style=wide),
        "strategy": w.Dropdown(
            options=["auto", "features", "fine-tune"], value="features", description="Strategy:"
        ),
        "train": w.Button(description="Train", button_style="primary"),
        "test": w.FileUpload(description="try a picture", accept="image/*", multiple=False),
        "out": w.Output(),
    }
    seen: list = []

    def say(text: str, bold: bool = False) -> None:
        from IPython.display import HTML, display

        words = html.escape(text)
        display(HTML(f"<p><b>{words}</b></p>" if bold else f"<pre>{words}</pre>"))

    def safely(act: Any) -> None:
        with it["out"]:
            try:
                act()
            except TlkitError as error:
                say(str(error), bold=True)
            except Exception as error:  # in a callback it would vanish without a word
                say(f"That did not work. {type(error).__name__}: {error}", bold=True)

    def take(_change: Any) -> None:
        files = uploaded(it["upload"].value)
        if files and files != seen:  # emptying the control calls here again
            seen[:] = files
            safely(lambda: say(shop.add(it["class_name"].value, files), bold=True))

    def train(_button: Any) -> None:
        from IPython.display import display

        def act() -> None:
            say("Training …", bold=True)
            found = shop.train(it["folder"].value, it["strategy"].value)
            say(repr(found))
            display(found.held_back.draw(), found.held_back.show_mistakes())

        it["train"].disabled = True
        it["out"].clear_output()
        try:
            safely(act)
        finally:
            it["train"].disabled = False

    def test(_change: Any) -> None:
        from IPython.display import display

        def act() -> None:
            for _, content in uploaded(it["test"].value)[-1:]:
                figure, words = shop.try_out(content)
                say(words, bold=True)
                display(figure)

        safely(act)

    it["upload"].observe(take, names="value")
    it["test"].observe(test, names="value")
    it["train"].on_click(train)
    rows = [("class_name", "upload"), ("folder", "strategy"), ("train", "test")]
    lines = [w.HBox([it[name] for name in row]) for row in rows]
    it["box"] = w.VBox([*lines, it["out"]])
    return it


def app() -> None:
    """Show a small program in the page: choose pictures, train, try. Nothing has to be typed.

    It needs a running notebook; ipywidgets 7 and 8 will do.

    Example:
        >>> app()                                                           # doctest: +SKIP
    """
    from IPython.display import display

    box = build(Workshop())["box"]
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display({"application/vnd.jupyter.widget-view+json": view, "text/plain": WORDS}, raw=True)

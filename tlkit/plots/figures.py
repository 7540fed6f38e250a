"""The course's figure style, and figures that show themselves in a notebook with their texts."""

import base64
import contextlib
import html
import io
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib
import numpy as np
import PIL.Image
from matplotlib.figure import Figure

from tlkit.checks import demand

# Okabe and Ito's palette (jfly.uni-koeln.de/color), told apart by colour-blind readers; its yellow
# is left out, for it is too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)), (0, (8, 3)))
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++", "--")
STYLE = {
    # Shown at 96 pixels per inch, so it stays sharp on finer screens.
    "figure.dpi": 144,
    "savefig.dpi": 144,
    "figure.facecolor": "white",
    # Nothing is cut, nothing overlaps.
    "figure.constrained_layout.use": True,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    # This font comes with matplotlib, so pages look alike on every computer.
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "lines.linewidth": 2,
    "lines.markersize": 6,
    "image.cmap": "cividis",
}
# Bytes: the house's 100 kB, when base64 has made a third more of it in the notebook.
_LIMIT = 74_000


def style() -> contextlib.AbstractContextManager:
    """The course's figure style for the figures drawn within a `with` block.

    Example:
        >>> with style():
        ...     plt.plot([1, 2, 3])
    """
    return matplotlib.rc_context(STYLE)


class CourseFigure(Figure):
    """A matplotlib figure that shows itself in a notebook, with a caption or a text for it.

    Only some of the programs that show notebooks read a picture's alternative text (nbconvert's
    classic pages do, JupyterLab does not). So the words stand below as well, as text rather than
    pixels: they can be read aloud, searched and zoomed.
    """

    alt = ""
    caption = ""

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, Markdown, display

        data, metadata = as_output(self)
        display(data, metadata=metadata, raw=True)
        if self.caption:
            display(Markdown(f"*{self.caption}*"))
        else:
            words = html.escape(self.alt)
            display(HTML(f"<details><summary>in words</summary>{words}</details>"))


def in_words(alt: str | None, said: str) -> str:
    """The alternative text that was given, or else what the drawing says of itself."""
    demand(isinstance(alt, str | None), f"`alt` is {alt!r}.", "Give a text.")
    return alt or said


@contextlib.contextmanager
def new_figure(
    width: float, height: float, alt: str, caption: str | None
) -> Iterator[CourseFigure]:
    """An empty figure of a size in inches, to be drawn on within the block, in the course's style.

    It never enters pyplot's list of open figures: nothing to close, nothing shown twice.
    """
    demand(isinstance(caption, str | None), f"`caption` is {caption!r}.", "Give a text.")
    with style():
        figure = CourseFigure(figsize=(width, height))
        figure.alt, figure.caption = alt, caption or ""
        yield figure


def as_output(figure: Figure) -> tuple[dict[str, str], dict[str, Any]]:
    """A figure as the data and the metadata of a notebook's output, under 100 kB.

    Drawings become PNG; what has photographs in it becomes JPEG, which keeps those small.

    Args:
        figure: Any matplotlib figure; the `alt` attribute, if it has one, is its alternative text.

    Returns:
        Two dicts by MIME type, for `IPython.display.display(data, metadata=..., raw=True)`.

    Example:
        >>> data, metadata = as_output(bars_with_intervals(["a"], [0.5], value_label="accuracy"))
        >>> sorted(data)
        ['image/png', 'text/plain']
    """
    file = io.BytesIO()
    # In the style, for matplotlib makes some tick marks only when it draws.
    with style():
        figure.savefig(file, dpi=STYLE["savefig.dpi"], pil_kwargs={"compress_level": 1})
    kind, picture = _compress(PIL.Image.open(file).convert("RGB"))
    alt = getattr(figure, "alt", "") or "a figure"
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    data = {kind: base64.b64encode(picture).decode("ascii"), "text/plain": alt}
    return data, {kind: {"alt": alt, "width": width, "height": height}}


def _compress(picture: PIL.Image.Image) -> tuple[str, bytes]:
    """A picture's MIME type and bytes: the best that stays within the limit."""
    # A drawing has few colours, and 256 of them look the same in half the bytes.
    few = picture.quantize(256, dither=PIL.Image.Dither.NONE)
    if np.abs(np.subtract(few.convert("RGB"), picture, dtype=np.int16)).mean() < 0.5:
        png = _encode(few, "PNG")
        if len(png) <= _LIMIT:
            return "image/png", png
    scaled, quality = picture, 90
    while len(jpeg := _encode(scaled, "JPEG", quality=quality)) > _LIMIT:
        quality -= 10
        # Two thirds of the pixels are as many as an ordinary screen shows.
        if quality < (80 if scaled is picture else 60):
            scaled = scaled.resize((scaled.width * 2 // 3, scaled.height * 2 // 3))
            quality = 90
    return "image/jpeg", jpeg


def _encode(picture: PIL.Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, optimize=True, **options)
    return file.getvalue()


def name_some(names: Sequence) -> str:
    """The first few of some names, for alternative texts."""
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(map(str, names[:12])) + more

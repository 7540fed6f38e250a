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

from tlkit.errors import InputError

# Okabe and Ito's palette (jfly.uni-koeln.de/color), told apart by colour-blind readers; its yellow
# is left out, for it is too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)), (0, (8, 3)))
STYLE = {
    "figure.dpi": 144,  # shown at 96 pixels per inch, so it stays sharp on finer screens
    "savefig.dpi": 144,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,  # nothing is cut, nothing overlaps
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "font.family": "DejaVu Sans",  # comes with matplotlib, so pages look alike on every computer
    "font.size": 11,
    "lines.linewidth": 2,
    "lines.markersize": 6,
    "image.cmap": "cividis",
}
_LIMIT = (
    74_000  # bytes: the house's 100 kB, when base64 has made a third more of it in the notebook
)


def style() -> contextlib.AbstractContextManager:
    """The course's figure style for the figures drawn within a `with` block.

    Example:
        >>> with style():
        ...     plt.plot([1, 2, 3])
    """
    return matplotlib.rc_context(STYLE)


def use_style() -> None:
    """The course's figure style for all figures of this session.

    Example:
        >>> use_style()
    """
    matplotlib.rcParams.update(STYLE)


class CourseFigure(Figure):
    """A matplotlib figure that shows itself in a notebook, with a caption or a text for it.

    Only some of the programs that show notebooks read a picture's alternative text (nbconvert's
    classic pages do, JupyterLab does not). So the words stand below as well, as text rather than
    pixels: they can be read aloud, searched and zoomed.
    """

    alt = ""
    caption = ""

    def _ipython_display_(self):
        from IPython.display import HTML, Markdown, display

        data, metadata = as_output(self)
        display(data, metadata=metadata, raw=True)
        if self.caption:
            display(Markdown(f"*{self.caption}*"))
        else:
            words = html.escape(self.alt)
            display(HTML(f"<details><summary>in words</summary>{words}</details>"))


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
    with style():  # matplotlib makes some tick marks only when it draws
        figure.savefig(
            file, format="png", dpi=STYLE["savefig.dpi"], pil_kwargs={"compress_level": 1}
        )
    kind, picture = _compress(PIL.Image.open(file).convert("RGB"))
    alt = getattr(figure, "alt", "") or "a figure"
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    data = {kind: base64.b64encode(picture).decode("ascii"), "text/plain": alt}
    return data, {kind: {"alt": alt, "width": width, "height": height}}


@contextlib.contextmanager
def new_figure(
    width: float, height: float, alt: str, caption: str | None
) -> Iterator[CourseFigure]:
    with style():
        figure = CourseFigure(figsize=(width, height))
        figure.alt, figure.caption = alt, caption or ""
        yield figure


def _compress(picture: PIL.Image.Image) -> tuple[str, bytes]:
    """A picture's MIME type and bytes: the best that stays within the limit."""

    def encode(picture: PIL.Image.Image, format: str, **options: int) -> bytes:
        file = io.BytesIO()
        picture.save(file, format, optimize=True, **options)
        return file.getvalue()

    # A drawing has few colours, and 256 of them look the same in half the bytes.
    few = picture.quantize(256, dither=PIL.Image.Dither.NONE)
    if np.abs(np.subtract(few.convert("RGB"), picture, dtype=np.int16)).mean() < 0.5:
        png = encode(few, "PNG")
        if len(png) <= _LIMIT:
            return "image/png", png
    small = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3), PIL.Image.LANCZOS)
    for quality in (90, 80, -90, -80, -65, -50, -40):  # minus: of the small one
        jpeg = encode(picture if quality > 0 else small, "JPEG", quality=abs(quality))
        if len(jpeg) <= _LIMIT:
            return "image/jpeg", jpeg
    while len(jpeg) > _LIMIT:  # a very large figure
        small = small.resize((small.width * 3 // 4, small.height * 3 // 4), PIL.Image.LANCZOS)
        jpeg = encode(small, "JPEG", quality=65)
    return "image/jpeg", jpeg


def demand(fine: Any, what: str, mend: str) -> None:
    if not fine:
        raise InputError(what, mend)


def numbers(values: Any, what: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Finite numbers of a shape (None: any length), or an InputError that says what is wrong."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        array = None
    demand(
        array is not None, f"{what} cannot be read as numbers.", "Give a list or an array of them."
    )
    fits = array.ndim == len(shape) and array.size > 0
    fits = fits and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    wanted = "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"
    demand(fits, f"{what} has the shape {array.shape}.", f"Give the shape {wanted}.")
    demand(np.isfinite(array).all(), f"{what} has NaN or infinity in it.", "Leave such values out.")
    return array


def name_some(names: Sequence) -> str:
    """The first few of some names, for alternative texts."""
    names = [str(name) for name in names]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")

"""Pictures with photographs in them: grids, filters, predictions, heat-maps (see `tlkit.plots`)."""

import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from tlkit.plots.figures import COLOURS, demand, name_some, new_figure, numbers


def _pixels(picture: Any) -> np.ndarray:
    """A picture as uint8, (H,W) or (H,W,3), from 0–255 of any type or from floats in 0–1."""
    picture = np.asarray(picture)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    fine = picture.dtype.kind in "biuf" and picture.size and np.isfinite(picture).all()
    fine = fine and (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[-1] == 3))
    demand(
        fine,
        f"This is no picture: {picture.dtype}, shape {picture.shape}.",
        "Give (H,W,3) or (H,W) with values 0 to 255, or floats 0 to 1.",
    )
    if picture.dtype.kind in "bf" and picture.max() <= 1:
        picture = picture * 255.0
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def _show(axes, picture: np.ndarray, title: str = "", **options: Any) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, **options)
    axes.set_axis_off()
    axes.set_title(title, fontsize=10)


def _grid_size(images, titles, columns) -> tuple[list[np.ndarray], int, int]:
    pictures = [_pixels(image) for image in images]
    demand(pictures, "There is no picture to show.", "Give at least one.")
    fine = titles is None or len(titles) == len(pictures)
    demand(
        fine, f"There are {len(pictures)} pictures and not as many titles.", "Give one for each."
    )
    fine = columns is None or (isinstance(columns, int | np.integer) and columns >= 1)
    demand(fine, f"columns is {columns!r}.", "Give a whole number, 1 or more.")
    columns = min(columns or 6, len(pictures))
    return pictures, columns, -(-len(pictures) // columns)


def image_grid(
    images: Any,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Pictures side by side, in rows.

    Args:
        images: (N,H,W,3) or (N,H,W), or a list of pictures of any sizes; 0–255, or floats 0–1.
        titles: One for each picture.
        columns: How many stand in a row; 6 if there are as many.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: No pictures, something that is no picture, or not one title for each.

    Example:
        >>> image_grid(data.images[:12], titles=["cat"] * 12, caption="Twelve cats.")
    """
    pictures, columns, rows = _grid_size(images, titles, columns)
    wide = 2.2 if columns <= 3 else 1.35 if columns <= 6 else 0.95
    wrapped = [
        textwrap.fill(str(title), 8 * round(wide) + 8) for title in titles or [""] * len(pictures)
    ]
    lines = max(title.count("\n") + bool(title) for title in wrapped)
    shape = np.mean([picture.shape[0] / picture.shape[1] for picture in pictures])
    made_up = (
        f"{len(pictures)} picture"
        + "s" * (len(pictures) > 1)
        + (f": {name_some(titles)}" if titles is not None else "")
    )
    size = columns * wide, rows * (wide * shape + 0.19 * lines + 0.1)
    with new_figure(*size, alt or made_up, caption) as figure:
        figure.set_layout_engine("compressed")  # no gaps beside pictures of a fixed shape
        places = figure.subplots(rows, columns, squeeze=False).flat
        for place, picture, title in zip(places, pictures, wrapped, strict=False):
            _show(place, picture, title)
        for place in figure.axes[len(pictures) :]:
            place.set_axis_off()
    return figure


def filters(
    kernel: Any, columns: int = 8, caption: str | None = None, alt: str | None = None
) -> Figure:
    """The filters of a first layer as small pictures; grey means that a weight is zero.

    Args:
        kernel: (h,w,3,n), as `layer.kernel` of a `Conv2D` that sees RGB.
        columns: How many stand in a row.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: The kernel has another shape.

    Example:
        >>> filters(base.get_layer("stem_conv").kernel)
    """
    kernel = np.asarray(kernel, dtype=np.float32)
    fine = kernel.ndim == 4 and kernel.shape[2] == 3 and kernel.size and np.isfinite(kernel).all()
    demand(
        fine,
        f"A kernel of shape {kernel.shape} cannot be seen as colours.",
        "Give that of a first layer on RGB pictures, (height, width, 3, filters).",
    )
    largest = np.maximum(np.abs(kernel).max(axis=(0, 1, 2), keepdims=True), 1e-12)
    pictures = np.moveaxis(np.round(127.5 + 127.5 * kernel / largest), -1, 0).astype(np.uint8)
    height, width, _, count = kernel.shape
    return image_grid(
        [np.kron(picture, np.ones((8, 8, 1), np.uint8)) for picture in pictures],
        columns=columns,
        caption=caption,
        alt=alt or f"{count} filters of {height} by {width} pixels, as coloured squares",
    )


def predictions(
    image: Any,
    names: Sequence[str],
    probabilities: Any,
    title: str = "",
    caption: str | None = None,
    alt: str | None = None,
) -> Figure:
    """A picture and, beside it, what a network thinks it is.

    Args:
        image: (H,W,3) or (H,W); 0–255, or floats 0–1.
        names: The classes to show, the likeliest first.
        probabilities: One for each, 0 to 1.
        title: What stands above the picture.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: Not a probability for each name, or one outside 0 to 1.

    Example:
        >>> [top] = tlkit.decode_predictions(logits, top=3)
        >>> predictions(image, *zip(*top))
    """
    picture, values = _pixels(image), numbers(probabilities, "The probabilities", (len(names),))
    fine = len(names) and ((values >= 0) & (values <= 1)).all()
    demand(fine, "A probability is outside 0 to 1.", "Use softmax on logits first.")
    said = [f"{name} {value:.0%}" for name, value in zip(names, values, strict=True)]
    with new_figure(
        7, 2.4, alt or f"a picture, and what it may be: {name_some(said)}", caption
    ) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
        _show(left, picture, title)
        write_bars(right, names, values, "{:.0%}")
        right.set(xlim=(0, 1.12), xlabel="probability")
        right.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    return figure


def write_bars(
    axes, labels: Sequence[str], values: np.ndarray, write: str, ends: Any = None
) -> None:
    """Horizontal bars, the first on top, each with its number behind `ends` (or behind itself)."""
    axes.barh(range(len(values)), values, color=COLOURS[0], height=0.6)
    for row, (value, end) in enumerate(zip(values, values if ends is None else ends, strict=True)):
        axes.annotate(
            write.format(value), (max(end, 0), row), (5, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(values)), [textwrap.fill(str(label), 28) for label in labels])
    axes.invert_yaxis()
    axes.grid(False, axis="y")


def heat_overlay(
    image: Any, heat: Any, title: str = "", caption: str | None = None, alt: str | None = None
) -> Figure:
    """A picture, and the same picture with a heat-map over it.

    Args:
        image: (H,W,3) or (H,W); 0–255, or floats 0–1.
        heat: (H,W), 0 to 1, such as `tlkit.explain.grad_cam` gives.
        title: What stands above the heat-map, such as the class that it is about.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: A heat-map of another size, or with values outside 0 to 1.

    Example:
        >>> heat_overlay(image, tlkit.explain.grad_cam(model, image), title="tabby")
    """
    picture = _pixels(image)
    heat = numbers(heat, "The heat-map", picture.shape[:2])
    fine = heat.min() >= 0 and heat.max() <= 1
    demand(fine, "A value of the heat-map is outside 0 to 1.", "Divide by its largest value.")
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    where = f"{('upper', 'middle', 'lower')[3 * row // len(heat)]} "
    where += ("left", "centre", "right")[3 * column // heat.shape[1]]
    with new_figure(
        6.6,
        0.5 + 2.75 * picture.shape[0] / picture.shape[1],
        alt or f"a picture and its heat-map {title}, hottest {where}",
        caption,
    ) as figure:
        left, right = figure.subplots(1, 2)
        _show(left, picture, "the picture")
        grey = picture if picture.ndim == 2 else picture.mean(axis=-1)
        paint = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), "inferno")
        share = 0.65 * heat[..., None]  # where it is cold the grey picture stays as it is
        grey = np.repeat(grey[..., None], 3, axis=-1)
        _show(
            right, _pixels(grey * (1 - share) + 255 * share * paint.to_rgba(heat)[..., :3]), title
        )
        figure.colorbar(paint, ax=right, label="evidence", shrink=0.8)
    return figure

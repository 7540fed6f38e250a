"""Pictures with photographs in them: grids, filters, predictions, heat-maps (see `tlkit.plots`)."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke

from tlkit.checks import demand, numbers, texts, whole
from tlkit.plots.charts import draw_bars
from tlkit.plots.figures import COLOURS, DASHES, in_words, name_some, new_figure

# Around lines, so that they are seen on any picture.
_PALE, _DARK = ([withStroke(linewidth=4, foreground=colour)] for colour in ("white", "#333333"))


def pixels(picture: Any) -> np.ndarray:
    """A picture as uint8, (H,W) or (H,W,3), from 0–255 of any type or from floats in 0–1."""
    try:
        picture = np.asarray(picture)
    except ValueError:  # a list of lists of different lengths
        picture = np.asarray(None)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    fine = picture.dtype.kind in "biuf" and picture.size and np.isfinite(picture).all()
    demand(
        fine and picture.ndim in (2, 3) and picture.shape[2:] in ((), (3,)),
        f"This is no picture: {picture.dtype}, shape {picture.shape}.",
        "Give (H,W,3) or (H,W) with values 0 to 255, or floats 0 to 1.",
    )
    if picture.dtype.kind in "bf" and picture.max() <= 1:
        picture = picture * 255.0
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def _show(axes: Axes, picture: np.ndarray, title: str = "") -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
    axes.set_title(title, fontsize=10)


def image_grid(
    images: Any,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    caption: str | None = None,
    alt: str | None = None,
    masks: Mapping[str, Any] | None = None,
    heats: Any = None,
) -> Figure:
    """Pictures side by side, in rows.

    Args:
        images: (N,H,W,3) or (N,H,W), or a list of pictures of any sizes; 0–255, or floats 0–1.
        titles: One for each picture.
        columns: How many stand in a row; 6 if there are as many.
        caption: A sentence to print under the figure.
        alt: The alternative text.
        masks: To be outlined, each name's in a colour of its own: bool (N,H,W), true inside.
        heats: A heat-map over each picture, (N,H,W) from 0 to 1, such as `grad_cam` gives.

    Returns:
        The figure.

    Raises:
        InputError: No pictures, something that is no picture, or not one title or mask for each.

    Example:
        >>> image_grid(data.images[:12], titles=["cat"] * 12, caption="Twelve cats.")
    """
    pictures = [pixels(image) for image in images] if np.iterable(images) else []
    count = len(pictures)
    demand(count, "There is no picture to show.", "Give at least one.")
    named = [""] * count if titles is None else texts(titles, "The titles")
    fits = len(named) == count
    demand(fits, f"There are {count} pictures and {len(named)} titles.", "Give one for each.")
    columns = min(6 if columns is None else whole(columns, "columns", 1), count)
    rows = -(-count // columns)
    wide = 2.2 if columns <= 3 else 1.35 if columns <= 6 else 0.95
    wrapped = [textwrap.fill(text, 8 * round(wide) + 8) for text in named]
    lines = max(text.count("\n") + bool(text) for text in wrapped)
    shape = np.mean([picture.shape[0] / picture.shape[1] for picture in pictures])
    made_up = f"{count} picture{'s' * (count > 1)}" + f": {name_some(named)}" * any(named)
    height = rows * (wide * shape + 0.19 * lines + 0.1) + 0.3 * bool(masks)
    with new_figure(columns * wide, height, alt or made_up, caption) as figure:
        # No gaps beside pictures of a fixed shape.
        figure.set_layout_engine("compressed")
        places = figure.subplots(rows, columns, squeeze=False).flat
        for place, picture, title in zip(places, pictures, wrapped, strict=False):
            _show(place, picture, title)
        for place in places[count:]:
            place.set_axis_off()
        if heats is not None:
            demand(len(heats) == count, f"Not {count} heat-maps.", "Give one for each picture.")
            for place, picture, heat in zip(places, pictures, heats, strict=False):
                _glow(place, picture, heat)
        if masks:
            _outline(figure, places[:count], masks)
    return figure


def _glow(place: Axes, picture: np.ndarray, heat: Any) -> AxesImage:
    """Lay a heat-map over a picture, and a line around all that is at least half as hot as can be.

    Where it is cold the picture stays as it is.
    """
    heat = numbers(heat, "The heat-map", picture.shape[:2])
    fine = heat.min() >= 0 and heat.max() <= 1
    demand(fine, "A value of the heat-map is outside 0 to 1.", "Divide by its largest value.")
    paint = place.imshow(heat, cmap="plasma", vmin=0, vmax=1, alpha=0.75 * np.sqrt(heat))
    if heat.min() < 0.5 < heat.max():
        line = place.contour(heat, levels=[0.5], colors="white", linewidths=1.5)
        line.set_path_effects(_DARK)
    return paint


def _outline(figure: Figure, places: Sequence[Axes], masks: Mapping[str, Any]) -> None:
    """Draw where each mask ends, over the pictures, and say below which colour is which."""
    named = isinstance(masks, Mapping)
    demand(named, f"`masks` is {masks!r}.", 'Give names with their masks: {"target": masks}.')
    few = len(masks) <= len(COLOURS)
    demand(few, f"{len(masks)} kinds of masks are too many.", f"Give {len(COLOURS)} at the most.")
    for kind, (name, given) in enumerate(masks.items()):
        # Orange first: of all the colours it is the rarest in pictures.
        look = {"color": COLOURS[1 - kind], "linestyle": DASHES[kind], "linewidth": 2}
        fits = isinstance(given, list | np.ndarray) and np.iterable(given)
        fits = fits and len(given) == len(places)
        demand(fits, f"Not {len(places)} masks of {name!r}.", "Give one for each picture.")
        for place, mask in zip(places, given, strict=True):
            shape = place.get_images()[0].get_array().shape[:2]
            mask = numbers(mask, f"A mask of {name}", shape) > 0.5
            if mask.any() and not mask.all():
                line = {"colors": [look["color"]], "linestyles": [look["linestyle"]]}
                drawn = place.contour(mask, levels=[0.5], linewidths=2, **line)
                drawn.set_path_effects(_PALE)
        figure.axes[0].plot([], label=name, **look)
    figure.legend(loc="outside lower center", ncols=len(masks), fontsize=10, frameon=False)


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
    kernel = numbers(kernel, "The kernel of a first layer on RGB", (None, None, 3, None))
    largest = np.maximum(np.abs(kernel).max(axis=(0, 1, 2), keepdims=True), 1e-12)
    height, width, _, count = kernel.shape
    # Eight pixels for each weight, so that nothing is blurred.
    large = (127.5 + 127.5 * kernel / largest).repeat(8, axis=0).repeat(8, axis=1)
    alt = in_words(alt, f"{count} filters of {height} by {width} pixels, as coloured squares")
    return image_grid(
        np.moveaxis(large, -1, 0).round().astype("uint8"), None, columns, caption, alt
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
    picture, names = pixels(image), texts(names, "The names")
    values = numbers(probabilities, "The probabilities", (len(names),))
    fine = ((values >= 0) & (values <= 1)).all()
    demand(fine, "A probability is outside 0 to 1.", "Use softmax on logits first.")
    written = [f"{value:.0%}" for value in values]
    said = name_some([f"{name} {text}" for name, text in zip(names, written, strict=True)])
    alt = in_words(alt, f"a picture, and what it may be: {said}")
    with new_figure(7, 2.4, alt, caption) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
        _show(left, picture, title)
        draw_bars(right, names, values, written, values)
        right.set(xlim=(0, 1.12), xlabel="probability")
        right.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    return figure


def heat_overlay(
    image: Any, heat: Any, title: str = "", caption: str | None = None, alt: str | None = None
) -> Figure:
    """A picture, and the same picture with a heat-map over it: the warmer, the more evidence.

    A line runs around all that is at least half as hot as can be.

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
    picture = pixels(image)
    heat = numbers(heat, "The heat-map", picture.shape[:2])
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    height, width = heat.shape
    where = f"{('upper', 'middle', 'lower')[3 * row // height]} "
    where += ("left", "centre", "right")[3 * column // width]
    alt = in_words(alt, f"a picture and its heat-map {title}, hottest {where}")
    with new_figure(6.6, 0.5 + 2.75 * height / width, alt, caption) as figure:
        left, right = figure.subplots(1, 2)
        _show(left, picture, "the picture")
        _show(right, picture, title)
        paint = _glow(right, picture, heat)
        figure.colorbar(paint, ax=right, label="evidence", shrink=0.8)
    return figure

"""Drawings of the four cases: what becomes of each layer, and which strategy won which case."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from tlkit.checks import choice, demand, numbers
from tlkit.plots.figures import new_figure

# What the rule of thumb advises for how many labels and what kind of task.
RULE = {
    ("few", "similar"): ("last features",),
    ("few", "different"): ("earlier features",),
    ("many", "similar"): ("fine-tune all",),
    ("many", "different"): ("fine-tune all", "from scratch"),
}
LAYERS = ("conv_1", "conv_2", "conv_3", "dense_1", "dense_2", "logits")
# What becomes of each layer, from the first to the last.
FATES = {
    "last features": "fffffn",
    "earlier features": "ff---n",
    "train the dense layers": "fffttn",
    "fine-tune all": "tttttn",
    "from scratch": "nnnnnn",
}
# By the letter: what it means, what stands in the box, and how the box looks.
_BOXES = {
    "f": ("kept and frozen", "kept,\nfrozen", {"facecolor": "#56B4E9", "edgecolor": "black"}),
    "t": (
        "kept, goes on training",
        "kept,\ntrains",
        {"facecolor": "#009E73", "edgecolor": "black", "hatch": "//"},
    ),
    "n": (
        "replaced: new weights, trained",
        "new,\ntrains",
        {"facecolor": "#E69F00", "edgecolor": "black", "hatch": ".."},
    ),
    "-": (
        "left out",
        "left\nout",
        {"facecolor": "white", "edgecolor": "0.5", "linestyle": "--"},
    ),
}
_HEIGHTS = (2.6, 2.2, 1.8, 1.5, 1.5, 1.0)
_PITCH = 1.35


def draw_case(size: str = "few", task: str = "similar") -> Figure:
    """The demonstration network as the rule of thumb would have it for one of the four cases.

    Args:
        size: `"few"` labels or `"many"`.
        task: `"similar"` to the task that the network was trained for, or `"different"`.

    Returns:
        The figure; two networks where the sources disagree.

    Raises:
        InputError: Another word for either.

    Example:
        >>> draw_case("few", "similar").alt[:30]
        'few labels, similar task: last'
    """
    choice(size, ("few", "many"), "number of labels")
    choice(task, ("similar", "different"), "kind of task")
    return draw_strategies(RULE[size, task], title=f"{size} labels, {task} task")


def draw_strategies(strategies: Sequence[str], title: str) -> Figure:
    """What becomes of each layer of the demonstration network, a row for each strategy.

    Args:
        strategies: Names, as in `FATES`.
        title: What stands above.

    Returns:
        The figure.

    Raises:
        InputError: A strategy that has no drawing.

    Example:
        >>> figure = draw_strategies(["last features"], "few labels, similar task")
    """
    demand(len(strategies), "There is no strategy to draw.", f"Choose from {', '.join(FATES)}.")
    fates = [FATES[choice(name, FATES, "strategy")] for name in strategies]
    words = {fate: inside.replace("\n", " ") for fate, (_, inside, _) in _BOXES.items()}
    told = [
        f"{name}: {', '.join(f'{a} {words[b]}' for a, b in zip(LAYERS, each, strict=True))}"
        for name, each in zip(strategies, fates, strict=True)
    ]
    alt = f"{title}: {'; '.join(told)}"
    with new_figure(7.6, 0.9 + 1.7 * len(strategies), alt, None) as figure:
        rows = figure.subplots(len(strategies), squeeze=False)[:, 0]
        for axes, name, each in zip(rows, strategies, fates, strict=True):
            _draw_network(axes, each)
            axes.set_title(name, loc="left", fontweight="bold", fontsize=11)
        figure.suptitle(title, x=0.01, ha="left")
        used = [_BOXES[fate] for fate in dict.fromkeys("".join(fates))]
        key = [Patch(label=meaning, **look) for meaning, _, look in used]
        place = {"loc": "outside lower left", "ncols": len(used), "frameon": False}
        figure.legend(handles=key, fontsize=9, **place)
    return figure


def _draw_network(axes: Axes, fates: str) -> None:
    before = 0
    for place, (name, fate, high) in enumerate(zip(LAYERS, fates, _HEIGHTS, strict=True)):
        left = _PITCH * place
        _, inside, look = _BOXES[fate]
        axes.add_patch(Rectangle((left, -high / 2), 1.0, high, **look))
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.9}
        middle = {"ha": "center", "va": "center"}
        axes.text(left + 0.5, 0, inside, fontsize=8.5, bbox=paper, **middle)
        axes.text(left + 0.5, -1.75, name, fontsize=9.5, **middle)
        if place and fate != "-":
            arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.2}
            start, end = (_PITCH * before + 1.0, 0), (left, 0)
            if before < place - 1:
                # Over the heads of those left out.
                arrow["connectionstyle"] = "arc3,rad=-0.32"
                start = (_PITCH * before + 0.8, _HEIGHTS[before] / 2)
                end = (left + 0.3, high / 2)
            axes.annotate("", end, start, arrowprops=arrow)
        if fate != "-":
            before = place
    axes.set(xlim=(-0.1, _PITCH * len(LAYERS)), ylim=(-2.0, 1.9))
    axes.set_axis_off()


def case_map(
    scores: Any,
    strategies: Sequence[str],
    cases: Sequence[str],
    advised: Mapping[str, Sequence[str]],
    controls: Sequence[str] = (),
    title: str | None = None,
    shared: bool = False,
) -> Figure:
    """Accuracies by strategy and case, with what was advised outlined and the winner starred.

    Args:
        scores: (rows, cases) accuracies: strategies first, then controls.
        strategies: A name for each of the first rows.
        cases: A name for each column.
        advised: For each case the strategies that the rule of thumb advises.
        controls: Names of the other rows; they cannot win.
        title: What stands above.
        shared: Whether all columns share one scale of shades; else each has its own.

    Returns:
        The figure.

    Raises:
        InputError: Shapes that do not belong together, or advice that is no strategy.

    Example:
        >>> figure = case_map([[0.6], [0.4]], ["probe", "scratch"], ["few"], {"few": ["probe"]})
    """
    rows = [*strategies, *controls]
    scores = numbers(scores, "The scores", (len(rows), len(cases)))
    fits = set(advised) <= set(cases) and {n for a in advised.values() for n in a} <= {*strategies}
    demand(fits, "The advice fits no case or strategy.", "Use the names of rows and columns.")
    best = scores[: len(strategies)].argmax(axis=0)
    alt = "; ".join(
        f"{case}: "
        + (f"advised {' or '.join(advised[case])}, " if advised.get(case) else "")
        + f"best {strategies[row]} with {scores[row, column]:.0%}"
        for column, (case, row) in enumerate(zip(cases, best, strict=True))
    )
    with new_figure(7.8, 1.5 + 0.42 * len(rows), alt.replace("\n", " "), None) as figure:
        axes = figure.subplots()
        shades = _shades(scores, shared)
        axes.imshow(shades, aspect="auto")
        for row, column in np.ndindex(scores.shape):
            won = row == best[column]
            dark = shades[row, column, :3] @ np.array([0.3, 0.6, 0.1]) < 0.5
            look = {"color": "white" if dark else "black", "ha": "center", "va": "center"}
            star, look["fontweight"] = ("★ ", "bold") if won else ("", "normal")
            axes.text(column, row, f"{star}{scores[row, column]:.1%}", **look)
            if rows[row] in advised.get(cases[column], ()):
                corner, look = (column - 0.46, row - 0.42), {"fill": False, "lw": 3}
                axes.add_patch(Rectangle(corner, 0.92, 0.84, ec="#D55E00", **look))
        if controls:
            axes.axhline(len(strategies) - 0.5, color="white", linewidth=8)
        axes.set_xticks(range(len(cases)), cases)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.spines[:].set_visible(False)
        axes.grid(False)
        outlined = "outlined: the rule; " if advised else ""
        axes.set_xlabel(f"{outlined}★: best in its column{' (controls aside)' * bool(controls)}")
        figure.suptitle(title or "", x=0.01, ha="left")
    return figure


def _shades(scores: np.ndarray, shared: bool) -> np.ndarray:
    """(rows, columns, 4) colours, dark for the lowest and bright for the highest score."""
    over = None if shared else 0
    low, high = scores.min(axis=over), scores.max(axis=over)
    return matplotlib.colormaps["cividis"]((scores - low) / np.maximum(high - low, 1e-9))

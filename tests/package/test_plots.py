"""The course's pictures: shown once, small, labelled, told in words, and never cut."""

import base64
import io

import matplotlib
import numpy as np
import PIL.Image
import pytest
from matplotlib.figure import Figure

from tlkit import plots
from tlkit.errors import InputError

NOISE = np.random.default_rng(0)
XY = {"x_label": "labels", "y_label": "accuracy"}


def photographs(count, size=128):
    """Real photographs, cut to squares."""
    from skimage import data

    found = [data.chelsea(), data.coffee(), data.astronaut(), data.rocket()]
    places = NOISE.integers(0, 150, (count, 2))
    cut = [found[i % 4][y : y + 256, x : x + 256] for i, (y, x) in enumerate(places)]
    return [np.asarray(PIL.Image.fromarray(c).resize((size, size))) for c in cut]


def picture_of(figure):
    data, metadata = plots.as_output(figure)
    kind = next(key for key in data if key.startswith("image/"))
    return data[kind], metadata[kind], data["text/plain"]


def all_kinds():
    x = [5, 10, 20, 50]
    ys = [[0.7, 0.8, 0.9, 0.9], [0.5, 0.5, 0.6, 0.7]]
    photo = photographs(1)[0]
    return {
        "grid": plots.image_grid(photographs(6), titles=["a rather long title for it"] * 6),
        "filters": plots.filters(NOISE.normal(size=(3, 3, 3, 32))),
        "predictions": plots.predictions(photo, ["tabby", "tiger cat"], [0.6, 0.3], "a photo"),
        "heat": plots.heat_overlay(photo, np.eye(128), "tabby"),
        "curve": plots.curve(x, ys, ["one", "two"], np.full((2, 4), 0.05), **XY, title="t"),
        "bars": plots.bars_with_intervals(
            ["a", "b"], [0.9, 0.5], [(0.8, 0.95), (0.4, 0.6)], value_label="accuracy", title="t"
        ),
        "confusion": plots.confusion_matrix(NOISE.integers(0, 50, (5, 5)), list("abcde")),
        "scatter": plots.scatter_labelled([1, 10, 100], [1, 2, 3], ["a", "b", "c"], **XY),
    }


KINDS = ["grid", "filters", "predictions", "heat", "curve", "bars", "confusion", "scatter"]


@pytest.fixture(scope="module")
def drawn():
    return all_kinds()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_cell_stores_is_small_sharp_and_told_in_words(drawn, kind):
    picture, about, words = picture_of(drawn[kind])
    assert len(picture) < 100_000
    assert about["alt"] == words and len(words) > 10
    pixels = PIL.Image.open(io.BytesIO(base64.b64decode(picture)))
    assert pixels.width >= about["width"] and about["width"] <= 900
    assert np.ptp(np.asarray(pixels.convert("L"))) > 100  # something is drawn


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_cut_and_none_is_tiny(drawn, kind):
    figure = drawn[kind]
    with plots.style():
        figure.draw_without_rendering()
        width, height = figure.bbox.size
        texts = []
        for axes in figure.axes:
            texts += [*axes.texts, axes.title, axes.xaxis.label]
            low, high = sorted(axes.get_ylim())
            marks = axes.get_yticklabels() if axes.axison else []
            texts += [mark for mark in marks if low <= mark.get_position()[1] <= high]
        for text in filter(lambda text: text.get_text().strip(), texts):
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y0 >= -1, text
            assert box.x1 <= width + 1 and box.y1 <= height + 1, text
            assert text.get_fontsize() >= 9, text


@pytest.mark.parametrize("kind", KINDS)
def test_an_alternative_text_of_ones_own_is_kept(kind):
    calls = {
        "grid": lambda alt: plots.image_grid(np.zeros((1, 4, 4, 3)), alt=alt),
        "filters": lambda alt: plots.filters(np.ones((3, 3, 3, 1)), alt=alt),
        "predictions": lambda alt: plots.predictions(np.zeros((4, 4)), ["a"], [1], alt=alt),
        "heat": lambda alt: plots.heat_overlay(np.zeros((4, 4)), np.zeros((4, 4)), alt=alt),
        "curve": lambda alt: plots.curve([1], [1], ["a"], **XY, alt=alt),
        "bars": lambda alt: plots.bars_with_intervals(["a"], [1], value_label="a", alt=alt),
        "confusion": lambda alt: plots.confusion_matrix([[1]], ["a"], alt=alt),
        "scatter": lambda alt: plots.scatter_labelled([1], [1], ["a"], **XY, alt=alt),
    }
    assert calls[kind]("in my words").alt == "in my words"


def test_a_grid_of_24_photographs_stays_small():
    picture, about, _ = picture_of(plots.image_grid(photographs(24), titles=["cat"] * 24))
    assert len(picture) < 100_000
    assert about["width"] > 700


def test_even_a_huge_figure_stays_small():
    noise = NOISE.integers(0, 256, (25, 99, 99, 3), dtype=np.uint8)
    assert len(picture_of(plots.image_grid(noise))[0]) < 100_000


def test_drawing_again_gives_the_same_bytes():
    first, second = (picture_of(plots.curve([1, 2], [1, 2], ["a"], **XY))[0] for _ in range(2))
    assert first == second


def test_a_figure_shows_itself_once_even_when_pyplot_is_in_use():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    try:
        import matplotlib.pyplot as plt

        before = plt.get_fignums()
        with capture_output() as captured:
            shell.run_cell(
                "from tlkit import plots\n"
                "alt, caption = 'two pixels', 'Black and white.'\n"
                "figure = plots.image_grid([[[0, 255]]], caption=caption, alt=alt)\n"
                "figure"
            )
        assert plt.get_fignums() == before
        picture, caption = captured.outputs
        assert picture.data["text/plain"] == "two pixels"
        assert picture.metadata["image/png"]["alt"] == "two pixels"
        assert caption.data["text/markdown"] == "*Black and white.*"
    finally:
        InteractiveShell.clear_instance()


def test_nbconvert_writes_the_alternative_text():
    import nbformat
    from nbconvert import HTMLExporter

    data, metadata = plots.as_output(plots.image_grid(np.zeros((1, 4, 4)), alt="a <dark> square"))
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    cell = nbformat.v4.new_code_cell("figure", outputs=[output], execution_count=1)
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(
        nbformat.v4.new_notebook(cells=[cell])
    )
    assert 'alt="a &lt;dark&gt; square"' in page


def test_the_style_is_left_behind_outside_its_block():
    before = dict(matplotlib.rcParams)
    with plots.style():
        assert matplotlib.rcParams["axes.spines.top"] is False
    plots.confusion_matrix([[1]], ["a"])
    assert dict(matplotlib.rcParams) == before


def test_without_a_caption_the_words_unfold_below_the_picture():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    try:
        with capture_output() as captured:
            shell.run_cell("from tlkit import plots\nplots.image_grid([[[0]]], alt='<black>')")
        words = captured.outputs[1].data["text/html"]
        assert words == "<details><summary>in words</summary>&lt;black&gt;</details>"
    finally:
        InteractiveShell.clear_instance()


def test_as_output_takes_any_figure():
    figure = Figure()
    figure.subplots().plot([1, 2])
    assert picture_of(figure)[2] == "a figure"


# ---------------------------------------------------------------- each kind


def test_a_grid_keeps_order_and_empties_the_rest():
    figure = plots.image_grid([np.full((2, 2), v) for v in (0, 100, 200, 255)], columns=3)
    shown = [axes.get_images()[0].get_array()[0, 0] for axes in figure.axes if axes.get_images()]
    assert shown == [0, 100, 200, 255] and len(figure.axes) == 6
    assert not any(axes.axison for axes in figure.axes)


@pytest.mark.parametrize(
    "picture", [[[0, 1.0]], [[0, 255]], [[0.0, 255.0]], np.array([[False, True]])]
)
def test_pictures_of_any_type_look_the_same(picture):
    image = plots.image_grid([picture]).axes[0].get_images()[0]
    assert image.get_array().tolist() == [[0, 255]] and image.get_clim() == (0, 255)


def test_lines_differ_in_more_than_colour_and_names_do_not_overlap():
    ys = np.full((5, 3), 0.8) + np.arange(5)[:, None] * 1e-4
    figure = plots.curve([1, 2, 3], ys, list("abcde"), **XY)
    lines = figure.axes[0].get_lines()
    assert len({line.get_marker() for line in lines}) == 5
    assert len({line.get_linestyle() for line in lines}) >= 4
    with plots.style():
        figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert [t.get_text() for t in figure.axes[0].texts] == list("abcde")
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize(
    "spread", [[[0.1, 0.2]], [[[0.4, 0.4], [0.6, 0.8]]], [0.1, 0.2], [[0.4, 0.4], [0.6, 0.8]]]
)
def test_spread_is_a_half_width_or_from_where_to_where(spread):
    figure = plots.curve([1, 2], [0.5, 0.6], ["a"], spread, **XY)
    shade = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert shade.min() == pytest.approx(0.4) and shade.max() == pytest.approx(0.8)


def test_spread_of_a_share_stays_a_share():
    figure = plots.curve([1, 2], [0.95, 0.99], ["a"], [[0.1, 0.1]], **XY, percent=True)
    assert figure.axes[0].collections[0].get_paths()[0].vertices[:, 1].max() == 1


def test_names_of_a_scatter_do_not_overlap():
    x = np.r_[NOISE.uniform(1, 1.5, 6), NOISE.uniform(1, 100, 6)]
    figure = plots.scatter_labelled(x, x % 7, [f"network {i}" for i in range(12)], **XY, log_x=True)
    with plots.style():
        figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in figure.axes[0].texts if t.get_text()]
    shared = [
        max(0, min(a.x1, b.x1) - max(a.x0, b.x0)) * max(0, min(a.y1, b.y1) - max(a.y0, b.y0))
        for i, a in enumerate(boxes)
        for b in boxes[:i]
    ]
    assert len(boxes) == 12 and max(shared) < 0.1 * boxes[0].width * boxes[0].height


def test_a_matrix_says_every_count_and_its_rows_are_true_classes():
    figure = plots.confusion_matrix([[48, 2], [5, 45]], ["hat", "sunglasses"])
    axes = figure.axes[0]
    assert {t.get_text(): t.get_position() for t in axes.texts}["2"] == (1, 0)
    assert axes.get_ylabel() == "true class" and axes.get_xlabel() == "predicted class"
    assert "93%" in figure.alt


def test_filters_are_grey_where_a_weight_is_zero():
    kernel = np.zeros((3, 3, 3, 2))
    kernel[0, 0, 0, 0] = 5
    kernel[1, 1, :, 1] = -1
    first, second = (a.get_images()[0].get_array() for a in plots.filters(kernel).axes)
    assert first[0, 0].tolist() == [255, 128, 128] and first[-1, -1].tolist() == [128] * 3
    assert second[12, 12].tolist() == [0, 0, 0]


def test_the_heat_map_colours_only_where_it_is_hot():
    heat = np.zeros((8, 8))
    heat[2, 6] = 1
    picture = np.full((8, 8, 3), 100, "uint8")
    below, above = plots.heat_overlay(picture, heat).axes[1].get_images()
    np.testing.assert_array_equal(below.get_array(), picture)
    assert above.get_alpha()[5, 2] == 0 and above.get_alpha()[2, 6] > 0.5


def test_a_grid_lays_each_heat_map_over_its_picture():
    heats = np.zeros((2, 8, 8))
    heats[0, 1, 1] = heats[1, 6, 6] = 1
    figure = plots.image_grid(np.full((2, 8, 8, 3), 100, "uint8"), heats=heats)
    for axes, heat in zip(figure.axes, heats, strict=True):
        _, above = axes.get_images()
        np.testing.assert_array_equal(above.get_alpha() > 0.5, heat == 1)


def test_masks_are_outlines_and_told_apart_by_colour_and_dashes():
    inside = np.zeros((2, 8, 8), bool)
    inside[0, 2:5, 2:5] = True
    masks = {"true": inside, "predicted": inside[::-1]}
    figure = plots.image_grid(np.full((2, 8, 8), 100), masks=masks)
    assert [len(axes.collections) for axes in figure.axes] == [1, 1]
    key = figure.legends[0]
    assert [text.get_text() for text in key.get_texts()] == ["true", "predicted"]
    assert len({(line.get_color(), line.get_linestyle()) for line in key.get_lines()}) == 2


# ---------------------------------------------------------------- wrong uses

GREY = np.zeros((4, 4))


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.image_grid([]),
        lambda: plots.image_grid([np.zeros((4, 4, 4))]),
        lambda: plots.image_grid(["cat.png"]),
        lambda: plots.image_grid([np.full((2, 2), np.nan)]),
        lambda: plots.image_grid([GREY], titles=["a", "b"]),
        lambda: plots.image_grid([GREY], columns=0),
        lambda: plots.image_grid([GREY], columns="two"),
        lambda: plots.image_grid([GREY], masks={"true": [GREY, GREY]}),
        lambda: plots.image_grid([GREY], heats=[GREY, GREY]),
        lambda: plots.image_grid([GREY], heats=[GREY + 2]),
        lambda: plots.image_grid([GREY], masks={"true": [np.zeros((2, 2))]}),
        lambda: plots.filters(np.zeros((3, 3, 16, 32))),
        lambda: plots.filters(np.zeros((3, 3, 3))),
        lambda: plots.predictions(GREY, ["a", "b"], [0.5]),
        lambda: plots.predictions(GREY, ["a", "b"], [5.1, -2.0]),
        lambda: plots.predictions(GREY, [], []),
        lambda: plots.heat_overlay(GREY, np.zeros((2, 2))),
        lambda: plots.heat_overlay(GREY, GREY - 1),
        lambda: plots.heat_overlay(GREY, GREY + np.nan),
        lambda: plots.curve([1, 2], [[1, 2]], ["a", "b"], **XY),
        lambda: plots.curve([1, 2], [[1, 2, 3]], ["a"], **XY),
        lambda: plots.curve([1, 2], [[1, 2]], ["a"], x_label="", y_label="accuracy"),
        lambda: plots.curve([1, 2], [[1, 2]], ["a"], [[1, 2, 3]], **XY),
        lambda: plots.curve([0, 2], [[1, 2]], ["a"], **XY, log_x=True),
        lambda: plots.curve([1, 2], [["x", "y"]], ["a"], **XY),
        lambda: plots.curve([1], np.ones((8, 1)), list("abcdefgh"), **XY),
        lambda: plots.curve([], [[]], ["a"], **XY),
        lambda: plots.bars_with_intervals(["a"], [0.5], [(0.6, 0.7)], value_label="accuracy"),
        lambda: plots.bars_with_intervals(["a"], [0.5, 0.6], value_label="accuracy"),
        lambda: plots.bars_with_intervals(["a"], [0.5], value_label=""),
        lambda: plots.bars_with_intervals(["a"], [np.nan], value_label="accuracy"),
        lambda: plots.confusion_matrix([[1, 2]], ["a", "b"]),
        lambda: plots.confusion_matrix([[1, -2], [0, 1]], ["a", "b"]),
        lambda: plots.confusion_matrix([], []),
        lambda: plots.scatter_labelled([1], [1], ["a"], x_label="x", y_label=" "),
        lambda: plots.scatter_labelled([1, 2], [1], ["a"], **XY),
        lambda: plots.scatter_labelled([0], [1], ["a"], **XY, log_x=True),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(call):
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).count(".") >= 2

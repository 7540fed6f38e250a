"""A picture with controls: what is stored, what moving a control does, and what is refused."""

import ipywidgets
import nbformat
import PIL.Image
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbclient import NotebookClient

from tlkit.course import widgets
from tlkit.errors import InputError
from tlkit.findings import Findings
from tlkit.plots import image_grid

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def displayed():
    """What has been displayed so far."""
    InteractiveShell.instance()
    with capture_output() as captured:
        yield captured
    InteractiveShell.clear_instance()


@pytest.fixture
def seen(displayed, monkeypatch):
    """What is to be seen below the controls now, as HTML."""
    picture = ipywidgets.HTML()
    monkeypatch.setattr(ipywidgets, "HTML", lambda: picture)
    return lambda: picture.value


def grey(value=100):
    return image_grid([[[value]]], alt=f"grey <{value}>")


def test_the_picture_at_the_start_is_stored_with_the_controls(displayed, seen):
    widgets.explore(grey, value=(0, 255))
    (output,) = displayed.outputs
    assert output.data[VIEW]["model_id"] and output.data["text/plain"] == "grey <100>"
    assert output.data["image/png"] in seen() and 'alt="grey &lt;100&gt;"' in seen()
    assert output.metadata["image/png"]["alt"] == "grey <100>"


def test_moving_a_control_draws_again(seen):
    slider = ipywidgets.IntSlider(50, 0, 255)
    widgets.explore(grey, value=slider)
    slider.value = 200
    assert "&lt;200&gt;" in seen() and "&lt;50&gt;" not in seen()


def test_a_setting_that_fails_says_so_and_the_next_one_works(seen):
    def fussy(value):
        if value == 13:
            raise ValueError("not <13>")
        return grey(value)

    slider = ipywidgets.IntSlider(1)
    widgets.explore(fussy, value=slider)
    slider.value = 13
    assert "This setting does not work. ValueError: not &lt;13&gt;" in seen()
    assert "<img" not in seen()
    slider.value = 2
    assert "&lt;2&gt;" in seen() and "does not work" not in seen()


def test_a_function_that_fails_at_the_start_raises():
    with pytest.raises(ZeroDivisionError):
        widgets.explore(lambda value: 1 / value, value=[0, 1])


@pytest.mark.parametrize(
    "value, page",
    [
        ("<text>", "<pre>&#x27;&lt;text&gt;&#x27;</pre>"),
        (Findings(), "<p>Nothing found.</p>"),
        (PIL.Image.new("L", (1, 1)), '<img src="data:image/png;base64,'),
    ],
)
def test_a_function_may_return_anything(seen, value, page):
    widgets.explore(lambda word: value, word=["early", "late"])
    assert seen().startswith(page)


@pytest.mark.parametrize(
    "given, kind, value",
    [
        ((0, 10), "IntSlider", 0),
        ((0, 10, 5), "IntSlider", 0),
        ((0.5, 2), "FloatSlider", 0.5),
        ((1.0, 8.0, 0.5), "FloatSlider", 1.0),
        ([1, 10, 100], "SelectionSlider", 1),
        (["early", "late"], "Dropdown", "early"),
        ({"a first one": 1, "a second": 2}, "Dropdown", 1),
        (True, "Checkbox", True),
        (ipywidgets.Text("cat"), "Text", "cat"),
    ],
)
def test_each_kind_of_control(given, kind, value):
    import inspect

    made = widgets._control("image_size", given, inspect.Parameter.empty)
    assert type(made).__name__ == kind and made.value == value
    assert made.description in ("image size", "")
    assert not getattr(made, "continuous_update", False) or kind == "Text"


def test_a_control_starts_at_the_functions_own_default():
    assert widgets._control("t", (0.5, 8.0), 2).value == 2
    assert widgets._control("t", (1, 8), 2.5).value == 2.5
    assert widgets._control("t", [1, 2, 4], 4).value == 4
    assert widgets._control("t", {"a": 1, "b": 2}, 2).value == 2
    assert widgets._control("t", False, True).value is True


@pytest.mark.parametrize(
    "controls",
    [
        {},
        {"wrong": [1, 2]},
        {"value": []},
        {"value": {}},
        {"value": 3},
        {"value": "cat"},
        {"value": (1,)},
        {"value": (10, 1)},
        {"value": ("a", "b")},
        # The default, 100, is not among them.
        {"value": [1, 2]},
        {"value": None},
    ],
)
def test_what_no_control_can_be_made_of_is_refused(controls):
    with pytest.raises(InputError):
        widgets.explore(grey, **controls)


def test_in_a_real_kernel_the_state_of_the_controls_holds_the_picture_that_moves():
    """So a page that is loaded again gets it from the kernel."""
    cells = [
        "import ipywidgets\n"
        "from tlkit.plots import image_grid\n"
        "from tlkit.course.widgets import explore\n"
        "slider = ipywidgets.IntSlider(5)\n"
        "explore(lambda value: image_grid([[[value]]], alt=f'grey {value}'), value=slider)",
        "slider.value = 7",
    ]
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(page, timeout=60, kernel_name="python3").execute()
    (output,) = page.cells[0].outputs
    assert output.output_type == "display_data" and output.data["text/plain"] == "grey 5"
    (state,) = page.metadata.widgets.values()
    pages = [each.state.get("value", "") for each in state.state.values()]
    assert any('alt="grey 7"' in str(value) for value in pages)
    assert page.cells[1].outputs == []

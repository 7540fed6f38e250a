"""A picture with controls: what is stored, what moving a control does, and what is refused."""

import ipywidgets
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tlkit.course import widgets
from tlkit.errors import InputError
from tlkit.plots import image_grid
from tools.build.kernels import run_notebook

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def shown():
    """What has been displayed so far; the last picture is the one to be seen."""
    InteractiveShell.instance()
    with capture_output() as captured:
        yield lambda: [output.data for output in captured.outputs]
    InteractiveShell.clear_instance()


def grey(value=100):
    return image_grid([[[value]]], alt=f"grey {value}")


def test_the_picture_at_the_start_is_stored_below_the_controls(shown):
    widgets.explore(grey, value=(0, 255))
    controls, picture = shown()
    assert controls[VIEW]["model_id"] and "value" in controls["text/plain"]
    assert picture["text/plain"] == "grey 100" and picture["image/png"]


def test_moving_a_control_draws_again(shown):
    slider = ipywidgets.IntSlider(50, 0, 255)
    widgets.explore(grey, value=slider)
    slider.value = 200
    assert [data["text/plain"] for data in shown()[1:]] == ["grey 50", "grey 200"]


def test_a_setting_that_fails_says_so_and_the_next_one_works(shown):
    def fussy(value):
        if value == 13:
            raise ValueError("not <13>")
        return grey(value)

    slider = ipywidgets.IntSlider(1)
    widgets.explore(fussy, value=slider)
    slider.value = 13
    slider.value = 2
    failed, works = shown()[-2:]
    assert failed["text/plain"] == "This setting does not work. ValueError: not <13>"
    assert "&lt;13&gt;" in failed["text/html"] and "image/png" not in failed
    assert works["text/plain"] == "grey 2"


def test_a_function_that_fails_at_the_start_raises():
    with pytest.raises(ZeroDivisionError):
        widgets.explore(lambda value: 1 / value, value=[0, 1])


def test_a_function_may_return_anything(shown):
    widgets.explore(lambda word: word.upper(), word=["early", "late"])
    assert shown()[1]["text/plain"] == "'EARLY'"


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


def test_in_a_real_kernel_the_stored_picture_is_the_one_that_moves(tmp_path):
    cells = [
        "import ipywidgets\n"
        "from tlkit.plots import image_grid\n"
        "from tlkit.course.widgets import explore\n"
        "slider = ipywidgets.IntSlider(5)\n"
        "explore(lambda value: image_grid([[[value]]], alt=f'grey {value}'), value=slider)",
        "slider.value = 7",
    ]
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    run_notebook(page, tmp_path)
    first, second = (cell["outputs"] for cell in page.cells)
    assert [output["output_type"] for output in first] == ["display_data", "display_data"]
    assert first[1]["data"]["text/plain"] == "grey 7" and "image/png" in first[1]["data"]
    assert second == []

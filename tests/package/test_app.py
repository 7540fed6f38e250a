"""The workshop in the page."""

from datetime import UTC, datetime

import pytest

from tests.package.tiny_workshop import write_folder
from tlkit.errors import InputError
from tlkit.workshop.app_page import Workshop, build, uploaded

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "mine")


def test_uploads_of_both_widget_versions():
    seven = {"a.png": {"metadata": {"name": "a.png"}, "content": b"x"}}
    eight = ({"name": "a.png", "type": "image/png", "content": memoryview(b"x")},)
    assert uploaded(seven) == uploaded(eight) == [("a.png", b"x")]
    assert uploaded({}) == uploaded(()) == []


def files(folder, name):
    return [(path.name, path.read_bytes()) for path in sorted((folder / name).iterdir())]


def test_the_program_trains_on_what_was_uploaded(folder):
    shop = Workshop()
    with pytest.raises(InputError, match="no classifier yet"):
        shop.try_out("x.png", b"")
    shop.add("red", files(folder, "red"))
    assert shop.add(" blue ", files(folder, "blue")) == "8 of 'red', 8 of 'blue'"
    assert shop.train(strategy="features").class_names == ("red", "blue")
    figure, words = shop.try_out("new.png", files(folder, "red")[0][1])
    assert figure.alt and words.startswith("red")


def test_pictures_may_be_chosen_again_and_under_any_name(folder):
    shop, red = Workshop(), files(folder, "red")
    with pytest.raises(InputError, match="no class yet"):
        shop.add("  ", red)
    assert shop.add("red", red) == "8 of 'red'"
    # Nothing is counted twice, and a name in other capitals is the same one.
    assert shop.add("RED", red) == "8 of 'red'"
    assert shop.add("../a/b: *?", red) == "8 of 'red', 8 of '../a/b: *?'"


def test_what_is_no_picture_is_said_at_once_by_the_name_that_it_has(folder):
    shop = Workshop()
    told = shop.add("red", [*files(folder, "red"), ("notes.jpg", b"words")])
    assert told.startswith("8 of 'red'") and "'notes.jpg' cannot be used: not a picture" in told
    assert shop.add("blue", [("notes.jpg", b"words")]).startswith("8 of 'red'\n")
    shop.add("blue", files(folder, "blue"))
    shop.train(strategy="features")
    with pytest.raises(InputError, match=r"'notes\.jpg' cannot be used"):
        shop.try_out("notes.jpg", b"words")


def test_messages_speak_of_what_is_on_the_page(folder):
    shop = Workshop()
    shop.add("red", files(folder, "red"))
    with pytest.raises(InputError, match="press Add") as error:
        shop.train()
    assert "folder" not in str(error.value) and "/" not in str(error.value)


def choose(upload, named):
    """Put files into an upload control, as a browser does."""
    if isinstance(upload.value, dict):
        upload.set_trait("value", {name: {"content": content} for name, content in named})
        return
    when = datetime.now(UTC)
    kept = {"type": "image/png", "size": 1, "last_modified": when}
    upload.value = [{"name": name, "content": memoryview(c), **kept} for name, c in named]


def test_the_controls_say_what_was_done_and_what_went_wrong(folder):
    shop = Workshop()
    it = build(shop)
    it["train"].click()
    assert "press Add" in it["status"].value and not it["train"].disabled
    choose(it["upload"], files(folder, "red"))
    it["add"].click()
    assert "no class yet" in it["status"].value
    # The same pictures again, once their class has a name.
    it["class_name"].value = "<red>"
    it["add"].click()
    assert "8 of &#x27;&lt;red&gt;&#x27;" in it["status"].value
    it["class_name"].value = "blue"
    choose(it["upload"], files(folder, "blue"))
    it["add"].click()
    it["train"].click()
    assert it["status"].value.startswith("<b>Trained in") and shop.classifier is not None
    it["try"].click()
    assert "No picture was chosen" in it["status"].value
    choose(it["test"], files(folder, "red")[:1])
    it["try"].click()
    assert it["status"].value.startswith("<b>&lt;red&gt; ")


def test_a_folder_will_do_as_well(folder):
    it = build(Workshop())
    it["folder"].value = f" {folder} "
    it["train"].click()
    assert it["status"].value.startswith("<b>Trained in")

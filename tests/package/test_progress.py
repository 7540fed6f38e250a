"""One line of progress, which ends when the work does, or when whoever asked has seen enough."""

import io
import sys

from tlkit.progress import progress


def test_progress_hands_on_everything_and_ends_its_line(capsys):
    assert list(progress(iter("abc"), 3, "Working", show=True)) == ["a", "b", "c"]
    out = capsys.readouterr().err
    assert out.startswith("\rWorking:  33%") and "100%" in out and out.endswith("\n")


def test_work_that_is_broken_off_ends_its_line_too(capsys):
    for item in progress(range(9), 9, "Working", show=True):
        if item == 2:
            break
    out = capsys.readouterr().err
    assert "100%" not in out and out.endswith("\n")


def test_quick_work_and_silence_say_nothing(capsys):
    assert list(progress(range(3), 3, "Working")) == [0, 1, 2]
    assert list(progress(range(3), 3, "Working", show=False)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_in_a_notebook_progress_belongs_to_its_cell(capsys, monkeypatch):
    page = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stdout", page)
    assert list(progress(range(3), 3, "Working", show=True)) == [0, 1, 2]
    assert "Working" in page.getvalue() and not capsys.readouterr().err

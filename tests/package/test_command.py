"""`python -m tlkit`, from a folder to a file and back."""

import os
import subprocess
import sys

import pytest

from tests.package.tiny_workshop import write_folder
from tlkit import progress
from tlkit.workshop import strategies
from tlkit.workshop.command import main

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "mine")


def train(folder, out, *options):
    return ["train", str(folder), "--out", str(out), "--image-size", "32", *options]


@pytest.fixture
def saved(classifier, tmp_path):
    return str(classifier.save(tmp_path / "saved.keras"))


def test_the_command_from_folder_to_file_and_back(folder, tmp_path, capsys):
    out = tmp_path / "model.keras"
    assert main(train(folder, out, "--strategy", "features")) == 0
    assert out.is_file() and out.with_suffix(".md").is_file()
    assert "Saved:" in capsys.readouterr().out
    picture = next((folder / "red").iterdir())
    assert main(["predict", str(out), str(picture)]) == 0
    assert f"{picture}: red" in capsys.readouterr().out
    assert main(["predict", str(out), str(picture), "none.png"]) == 1
    assert main(["evaluate", str(out), str(folder)]) == 0
    assert "16 of these pictures seem to be copies" in capsys.readouterr().out
    export = ["export", str(out), "--out", str(tmp_path / "m.tflite"), "--test", str(folder)]
    assert main(export) == 0 and (tmp_path / "predict.py").is_file()
    assert main(["diagnose", str(out), str(folder)]) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_a_folder_of_pictures_is_predicted_picture_by_picture(saved, folder, capsys):
    (folder / "notes.txt").write_text("words")
    assert main(["predict", saved, str(folder)]) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 16 and f"{folder / 'red' / '0.png'}: red" in told.out
    assert "notes.txt' cannot be used: not a picture" in told.err
    (folder / "empty").mkdir()
    assert main(["predict", saved, str(folder / "empty")]) == 2


def test_results_go_to_one_place_and_progress_to_another(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", -1)
    monkeypatch.setattr(strategies, "PIECE", 4)
    out = tmp_path / "model.keras"
    for arguments, doing in [
        (
            train(folder, out, "--strategy", "features"),
            ["Reading the pictures", "Loading the network"],
        ),
        (["evaluate", str(out), str(folder)], [f"Loading {out}", "Judging it"]),
        (
            ["export", str(out), "--out", str(tmp_path / "m.tflite")],
            ["Loading", "Writing the file"],
        ),
        (["predict", str(out), str(folder / "red" / "0.png")], ["Loading"]),
        (["diagnose", str(out)], ["Looking at"]),
    ]:
        assert main(arguments) in (0, 1)
        told = capsys.readouterr()
        assert all(words in told.err for words in doing)
        assert "…" not in told.out and "%, about" not in told.out and "\r" not in told.out


def test_there_is_a_word_before_anything_heavy_is_loaded(folder, tmp_path):
    code = (
        "import sys; sys.modules.update(tensorflow=None, keras=None)\n"
        f"from tlkit.workshop.command import main; main({train(folder, tmp_path / 'm.keras')!r})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert run.stderr.startswith("Reading the pictures in") and "16 pictures of 32" in run.stdout


def test_what_a_console_cannot_show_becomes_a_question_mark(tmp_path):
    folder = write_folder(tmp_path / "mine", names=("кот", "лиса"))
    console = {**os.environ, "PYTHONIOENCODING": "cp1252"}

    command = train(folder, tmp_path / "m.keras", "--strategy", "features")
    run = subprocess.run(
        [sys.executable, "-m", "tlkit", *command],
        capture_output=True,
        encoding="cp1252",
        env=console,
    )
    assert run.returncode == 0 and "???  " in run.stdout and (tmp_path / "m.keras").exists()


def test_a_reader_who_has_seen_enough_is_no_error(saved, folder, monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["predict", saved, str(folder)]) == 0


def test_a_card_that_was_edited_is_kept(folder, tmp_path, capsys):
    out, card = tmp_path / "m.keras", tmp_path / "m.md"
    assert main(train(folder, out, "--strategy", "features")) == 0
    # As it was written it may be replaced.
    assert main(train(folder, out, "--strategy", "features")) == 0
    card.write_text(card.read_text() + "\nEverybody on the pictures agreed; ask Ada.\n")
    before = out.read_bytes()
    assert main(train(folder, out, "--strategy", "features")) == 2
    assert "m.md' was edited" in capsys.readouterr().err
    assert "ask Ada" in card.read_text() and out.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "none/", "--out", "m.keras"], "There is no folder 'none'"),
        (["train", "none/", "--out", "m.h5"], "does not end in .keras"),
        (["train", "none/", "--out", "none/m.keras"], "There is no folder 'none'"),
        (["predict", "none.keras", "x.png"], "There is no file"),
        (["predict", "folder.keras", "x.png"], "is not a file"),
        (["evaluate", "none.keras", "x"], "There is no file"),
        (["export", "none.keras", "--out", "m.zip"], "'.zip'"),
        (["diagnose", "none.keras"], "There is no file"),
    ],
)
def test_what_cannot_be_done_is_said_with_code_two(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.keras").mkdir()
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_interrupted_it_says_so(folder, monkeypatch, capsys, tmp_path):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tlkit.workshop.train.train_classifier", stop)
    code = main(["train", str(folder), "--out", str(tmp_path / "m.keras"), "--image-size", "32"])
    assert code == 130 and "half-written" in capsys.readouterr().err
    assert not (tmp_path / "m.keras").exists()


def test_help_reads_well(capsys):
    for arguments in (["--help"], ["train", "--help"], ["export", "--help"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 0
    told = capsys.readouterr().out
    assert "exit codes" in told and "a sub-folder per class" in told
    with pytest.raises(SystemExit) as end:
        main(["fly"])
    assert end.value.code == 2

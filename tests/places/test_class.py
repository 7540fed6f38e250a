"""A class at one server: how large it must be, and the class in miniature that tries it."""

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from tools.build.lessons import ROOT
from tools.places import class_hub, class_size, classroom, warm_cache

TEACHING = ROOT / "docs" / "teaching"


def test_a_larger_class_needs_more_and_a_learner_what_the_hungriest_lesson_needs(capsys):
    small, large = class_size.needs(5), class_size.needs(30)
    assert large[0] > 5 * (small[0] - class_size.SYSTEM_GB) and large[1] > small[1] >= 2
    times = json.loads(class_size.LESSON_TIMES.read_text())["lessons"].values()
    assert small[2] > max(each["learner_mb"] for each in times) / 1000
    assert class_size.main(["17"]) == 0 and "| 17 |" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        class_size.main(["0"])


def test_the_ready_configuration_is_read_and_the_try_out_overrides_it(tmp_path):
    class Config(defaultdict):
        def __init__(self):
            super().__init__(Config)

        __setattr__ = dict.__setitem__

        def __getattr__(self, name):
            return self[name]

    c = Config()

    def load(path):
        exec(Path(path).read_text(encoding="utf-8"), {"get_config": lambda: c})

    class_hub.Hub(tmp_path, tmp_path / "shared", "proxy")
    text = (tmp_path / "hub.py").read_text(encoding="utf-8")
    exec(text, {"c": c, "load_subconfig": load})
    environment = c.Spawner.environment
    assert environment["TLKIT_SHARED_CACHE"] == str(tmp_path / "shared")
    assert environment["OMP_NUM_THREADS"] == "2" and environment["MALLOC_ARENA_MAX"] == "2"
    assert any("cull_idle_timeout" in each for each in c.Spawner.args)


@pytest.mark.skipif(os.name == "nt", reason="the server has sh")
def test_install_script_is_sound_and_refuses_a_computer_without_tljh():
    script = TEACHING / "jupyterhub" / "install.sh"
    assert subprocess.run(["sh", "-n", script]).returncode == 0
    ran = subprocess.run(
        ["sh", script, "https://example.org/x.git"], capture_output=True, text=True
    )
    assert ran.returncode == 1 and "Littlest JupyterHub is not here" in ran.stderr
    assert subprocess.run(["sh", script], capture_output=True).returncode != 0


def test_damage_in_a_cache_is_found(tmp_path):
    np.savez(tmp_path / "good.npz", a=np.arange(5))
    assert classroom.damaged(tmp_path) == []
    whole = (tmp_path / "good.npz").read_bytes()
    (tmp_path / "good.npz").write_bytes(whole[:-40])
    (tmp_path / ".half.npz.x").write_bytes(b"")
    assert sorted(classroom.damaged(tmp_path)) == [".half.npz.x", "good.npz"]


def test_a_learner_without_a_hub_fails_with_words_and_not_with_a_traceback():
    pytest.importorskip("websocket")

    class Nowhere:
        url, token = "http://127.0.0.1:9", "x"

    outcome = classroom.visit(Nowhere, "ann", "03_feature_extraction", "main")
    assert "ConnectionError" in outcome.failure and outcome.cells == 0


def test_classroom_wants_a_learner_and_a_proxy(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        classroom.main(["--learners", "0", "--proxy", "x"])
    monkeypatch.setattr(classroom.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit):
        classroom.main([])
    assert "npm install" in capsys.readouterr().err


def test_a_class_is_not_held_over_a_cache_that_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(classroom, "can_write", lambda folder: True)
    monkeypatch.setattr(classroom, "run_class", lambda *given: pytest.fail("held"))
    with pytest.raises(SystemExit, match="ordinary user"):
        classroom.main(["--shared-cache", str(tmp_path), "--proxy", "x"])


def test_a_damaged_cache_or_a_failed_learner_fails_the_class(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(classroom, "can_write", lambda folder: False)

    def held(failure="", damage=False):
        def run(learners, lesson, folder, shared, proxy):
            if damage:
                (folder / "homes" / "l1" / "tlkit-cache").mkdir(parents=True)
                (folder / "homes" / "l1" / "tlkit-cache" / "half.npz").write_bytes(b"")
            visits = [classroom.Visit(f"l{n}", 1, 10 + n, 5, failure) for n in range(learners)]
            return visits, {"learner_mb": 1, "kernel_mb": 1}

        monkeypatch.setattr(classroom, "run_class", run)
        given = ["--shared-cache", str(tmp_path), "--proxy", "x", "--learners", "2"]
        return classroom.main(given)

    assert held() == 0 and "0 failed" in capsys.readouterr().out
    assert held(failure="KeyError: x") == 1 and "failed in cell 5" in capsys.readouterr().out
    assert held(damage=True) == 1 and "half.npz" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="the server has Unix permissions")
def test_a_shared_cache_is_warmed_and_then_closed(tmp_path, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(warm_cache, "warm", lambda folder, notebook: ran.append(notebook))
    place = tmp_path / "cache"
    (place / "features").mkdir(parents=True)
    (place / "features" / "x.npz").write_bytes(b"abc")
    assert warm_cache.main([str(place), "03", "04"]) == 0
    stems = [path.stem for path in ran]
    assert stems[0] == stems[1] == "03_feature_extraction" and len(stems) == 6
    assert not os.stat(place / "features").st_mode & 0o222
    assert os.stat(place / "features" / "x.npz").st_mode & 0o777 == 0o444
    assert "1 files" in capsys.readouterr().out
    warm_cache.set_writable(place, True)
    assert os.stat(place / "features").st_mode & 0o777 == 0o755

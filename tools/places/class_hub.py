"""A JupyterHub of our own for a class in miniature, and what it takes of this computer."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from tools.build.lessons import ROOT

CONFIGURATION = ROOT / "docs" / "teaching" / "jupyterhub" / "class_config.py"
HUB_CONFIG = """\
load_subconfig({configuration!r})
c.Spawner.environment |= {{"TLKIT_SHARED_CACHE": {shared!r}, "PYTHONPATH": {root!r}}}
c.Spawner.pre_spawn_hook = lambda spawner: spawner.environment.update(
    TLKIT_CACHE=spawner.home_dir + "/tlkit-cache"
)
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.cleanup_servers = True
c.Spawner.args += {root_only}
"""


class Hub:
    """A JupyterHub on this computer, as a context."""

    def __init__(self, folder: Path, shared: Path, proxy: str) -> None:
        self.folder, self._ports = folder, [_free_port() for _ in range(3)]
        self.url = f"http://127.0.0.1:{self._ports[0]}"
        (folder / "hub.py").write_text(
            HUB_CONFIG.format(
                configuration=str(CONFIGURATION),
                shared=str(shared),
                root=str(ROOT),
                homes=str(folder / "homes"),
                folder=folder,
                proxy=proxy,
                root_only=["--allow-root"] if os.getuid() == 0 else [],
                public=self._ports[0],
                hub=self._ports[1],
                api=self._ports[2],
            )
        )

    def __enter__(self) -> Hub:
        import requests

        with (self.folder / "hub.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(self.folder / "hub.py")],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        for _ in range(120):
            try:
                if requests.get(f"{self.url}/hub/health", timeout=5).ok:
                    return self
            except requests.RequestException:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.5)
        self.__exit__()
        lines = (self.folder / "hub.log").read_text().splitlines()[-5:]
        raise SystemExit("The hub did not start:\n" + "\n".join(lines))

    def __exit__(self, *_exception) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Watch(threading.Thread):
    """Watches the learners' servers of a hub once a second, as a context.

    Attributes:
        seen: `class_mb`, the most by which the computer's free memory fell; `learner_mb` and
            `kernel_mb`, the most that one learner's processes held together, and one of them
            alone; `processor_seconds` of all of them.
    """

    def __init__(self, hub: int) -> None:
        super().__init__(daemon=True)
        self._hub, self._over = hub, threading.Event()
        self._free, self._spent = psutil.virtual_memory().available, {}
        self.seen = dict.fromkeys(("class_mb", "learner_mb", "kernel_mb"), 0.0)

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_exception) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(1):
            try:
                self._look()
            except psutil.Error:  # a process ended under our eyes
                continue

    def _look(self) -> None:
        fallen = self._free - psutil.virtual_memory().available
        self._most("class_mb", fallen)
        for server in psutil.Process(self._hub).children():
            if not any("singleuser" in word for word in server.cmdline()):
                continue  # the proxy
            held = []
            for process in (server, *server.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    self._spent[process.pid, process.create_time()] = times.user + times.system
                    held.append(process.memory_info().rss)
            self._most("kernel_mb", max(held, default=0))
            self._most("learner_mb", sum(held))
        self.seen["processor_seconds"] = sum(self._spent.values())

    def _most(self, name: str, amount: float) -> None:
        self.seen[name] = max(self.seen[name], amount / 1e6)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

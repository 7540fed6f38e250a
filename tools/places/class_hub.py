"""A JupyterHub of our own for a class in miniature, and what it takes of this computer."""

from __future__ import annotations

import contextlib
import os
import secrets
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
c.JupyterHub.services = [{{"name": "class", "api_token": {token!r}}}]
scopes = ["admin:users", "admin:servers", "access:servers"]
c.JupyterHub.load_roles = [{{"name": "class", "services": ["class"], "scopes": scopes}}]
c.JupyterHub.bind_url = {url!r}
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
    """A JupyterHub on this computer, as a context.

    Attributes:
        url: Its address.
        token: What lets a program add learners and use their servers.
    """

    def __init__(self, folder: Path, shared: Path, proxy: str) -> None:
        self.folder, self.token = folder, secrets.token_hex()
        public, hub, api = (_free_port() for _ in range(3))
        self.url = f"http://127.0.0.1:{public}"
        (folder / "hub.py").write_text(
            HUB_CONFIG.format(
                configuration=str(CONFIGURATION),
                shared=str(shared),
                root=str(ROOT),
                homes=str(folder / "homes"),
                folder=folder,
                proxy=proxy,
                root_only=["--allow-root"] if os.getuid() == 0 else [],
                token=self.token,
                url=self.url,
                hub=hub,
                api=api,
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
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.url}/hub/health", timeout=5).ok:
                    return self
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
        kernel_mb: The most that one process of a learner held: a kernel.
        learner_mb: The most that all processes of one learner held together.
    """

    def __init__(self, hub: int) -> None:
        super().__init__(daemon=True)
        self._hub, self._over = hub, threading.Event()
        self.kernel_mb = self.learner_mb = 0.0

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_exception) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(1):
            # A process may end under our eyes.
            with contextlib.suppress(psutil.Error):
                for server in psutil.Process(self._hub).children():
                    # The other child is the proxy.
                    if any("singleuser" in word for word in server.cmdline()):
                        every = (server, *server.children(recursive=True))
                        held = [process.memory_info().rss / 1e6 for process in every]
                        self.kernel_mb = max(self.kernel_mb, *held)
                        self.learner_mb = max(self.learner_mb, sum(held))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

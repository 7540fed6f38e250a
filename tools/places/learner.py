"""A learner at a JupyterHub, as a program: what a browser and JupyterLab would ask of it."""

from __future__ import annotations

import json
import time
import uuid

# Seconds for one cell: ten learners share what one had.
PATIENCE = 3600


class Failed(RuntimeError):
    """Something a learner wanted did not work; the message says what."""


class Learner:
    """One learner at a hub.

    Args:
        hub: The hub's address.
        name: The learner's name; any password is right.
    """

    def __init__(self, hub: str, name: str) -> None:
        import requests

        self.hub, self.name = hub, name
        self.server = f"{hub}/user/{name}"
        self._web = requests.Session()

    def log_in(self) -> None:
        """Log in and wait for a server of one's own.

        Raises:
            Failed: The hub refuses, or no server comes up within five minutes.
        """
        page = f"{self.hub}/hub/login"
        self._web.get(page, timeout=60)
        form = {"username": self.name, "password": "x", "_xsrf": self._xsrf("/hub/")}
        answer = self._web.post(page, form, params={"next": "/hub/spawn"}, timeout=120)
        if not answer.ok:
            raise Failed(f"logging in: {answer.status_code} {answer.reason}")
        for _ in range(300):
            # The first request goes through the hub, which tells the server who this is.
            answer = self._web.get(f"{self.server}/lab", timeout=120)
            if answer.ok and answer.url.startswith(self.server):
                break
            time.sleep(1)
        else:
            raise Failed(f"no server: {answer.status_code} at {answer.url}")

    def fetch_course(self, repository: str, branch: str, folder: str) -> None:
        """Fetch the course as a link to nbgitpuller does.

        Args:
            repository: Its address.
            branch: The branch.
            folder: Where to put it, in the learner's home.

        Raises:
            Failed: nbgitpuller reports an error.
        """
        wanted = {"repo": repository, "branch": branch, "targetpath": folder}
        told = self._web.get(f"{self.server}/git-pull/api", params=wanted, timeout=600).text
        if '"phase": "finished"' not in told:
            raise Failed(f"nbgitpuller: {told[-300:]}")

    def open(self, path: str) -> list[str]:
        """Open a notebook and start its kernel.

        Args:
            path: The notebook, in the learner's home.

        Returns:
            The text of its code cells, in order.
        """
        import websocket

        stored = self._asked("get", f"api/contents/{path}")["content"]
        session = {"path": path, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self._asked("post", "api/sessions", session)["kernel"]["id"]
        self._channel = websocket.create_connection(
            f"{self.server.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels",
            cookie="; ".join(f"{each.name}={each.value}" for each in self._cookies()),
            timeout=PATIENCE,
        )
        return [cell["source"] for cell in stored["cells"] if cell["cell_type"] == "code"]

    def run(self, code: str) -> None:
        """Run a cell and wait for its end.

        Args:
            code: The cell's text.

        Raises:
            Failed: The cell raised an error, or the kernel died.
        """
        asked = uuid.uuid4().hex
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": True}
        content |= {"allow_stdin": False, "user_expressions": {}}
        header = {"msg_id": asked, "msg_type": "execute_request", "session": self.name}
        header |= {"username": self.name, "version": "5.3", "date": ""}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._channel.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        wrong, replied, idle = "", False, False
        while not (replied and idle):
            got = self._channel.recv()
            # Pictures of a widget: none of a lesson's text.
            if isinstance(got, bytes):
                continue
            heard = json.loads(got)
            kind, told = heard["header"]["msg_type"], heard["content"]
            if kind == "status" and told["execution_state"] in ("restarting", "dead"):
                raise Failed("the kernel died: memory ran out?")
            if heard["parent_header"].get("msg_id") != asked:
                continue
            idle |= kind == "status" and told["execution_state"] == "idle"
            replied |= kind == "execute_reply"
            if kind == "execute_reply" and told["status"] != "ok":
                wrong = f"{told.get('ename', told['status'])}: {told.get('evalue', '')}"
        if wrong:
            raise Failed(wrong)

    def _asked(self, method: str, path: str, body: dict | None = None) -> dict:
        answer = self._web.request(
            method,
            f"{self.server}/{path}",
            json=body,
            headers={"X-XSRFToken": self._xsrf(f"/user/{self.name}/")},
            timeout=300,
        )
        if not answer.ok:
            raise Failed(f"{path}: {answer.status_code} {answer.text[:200]}")
        return answer.json()

    def _cookies(self) -> list:
        """The cookies that belong to the learner's own server."""
        return [each for each in self._web.cookies if each.path == f"/user/{self.name}/"]

    def _xsrf(self, path: str) -> str:
        """The token against forged requests that a page has set."""
        found = [each for each in self._web.cookies if (each.name, each.path) == ("_xsrf", path)]
        if not found:
            raise Failed(f"no _xsrf cookie for {path}")
        return found[0].value

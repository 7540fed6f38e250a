"""A learner at a JupyterHub, as a program: what JupyterLab would ask of it."""

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
        name: The learner's name.
        token: A token that may add users and use their servers.
    """

    def __init__(self, hub: str, name: str, token: str) -> None:
        import requests

        self._account, self._server = f"{hub}/hub/api/users/{name}", f"{hub}/user/{name}"
        self._web, self._name = requests.Session(), name
        self._web.headers["Authorization"] = self._token = f"token {token}"

    def get_server(self) -> None:
        """Get an account, and wait for a server of one's own.

        Raises:
            Failed: The hub refuses, or no server comes up within five minutes.
        """
        self._ask("POST", self._account)
        self._ask("POST", f"{self._account}/server")
        for _ in range(300):
            if self._ask("GET", self._account).json()["server"]:
                return
            time.sleep(1)
        raise Failed("no server came up")

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
        told = self._ask("GET", f"{self._server}/git-pull/api", params=wanted).text
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

        stored = self._ask("GET", f"{self._server}/api/contents/{path}").json()["content"]
        session = {"path": path, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self._ask("POST", f"{self._server}/api/sessions", json=session).json()["kernel"]
        self._channel = websocket.create_connection(
            f"{self._server.replace('http', 'ws', 1)}/api/kernels/{kernel['id']}/channels",
            header={"Authorization": self._token},
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
        header = {"msg_id": asked, "msg_type": "execute_request", "session": self._name}
        header |= {"username": self._name, "version": "5.3", "date": ""}
        message = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
        self._channel.send(json.dumps({**message, "content": {"code": code}, "buffers": []}))
        wrong, waiting = "", {"execute_reply", "idle"}
        while waiting:
            got = self._channel.recv()
            # Pictures of a widget: none of a lesson's text.
            if isinstance(got, bytes):
                continue
            heard = json.loads(got)
            kind, told = heard["header"]["msg_type"], heard["content"]
            state = told.get("execution_state")
            if state in ("restarting", "dead"):
                raise Failed("the kernel died: memory ran out?")
            if heard["parent_header"].get("msg_id") == asked:
                waiting -= {kind, state}
                if kind == "execute_reply" and told["status"] != "ok":
                    wrong = f"{told.get('ename', told['status'])}: {told.get('evalue', '')}"
        if wrong:
            raise Failed(wrong)

    def _ask(self, method: str, address: str, **more):
        answer = self._web.request(method, address, timeout=600, **more)
        if not answer.ok:
            raise Failed(f"{address}: {answer.status_code} {answer.text[:200]}")
        return answer

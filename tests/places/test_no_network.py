"""The tests run without a network; here it is shown that this is so."""

import errno
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.request

import nbformat
import pytest

from tools.build.kernels import run_notebook
from tools.build.lessons import ROOT

REACH_OUT = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except ConnectionRefusedError as error:
    print(error)
"""
REFUSED = "The tests run without a network; something asked for '192.0.2.1'."


@pytest.mark.parametrize(
    "address",
    [("192.0.2.1", 80), ("203.0.113.7", 443), ("2001:db8::1", 80), ("course.invalid", 80)],
)
def test_nothing_outside_is_reached_from_a_test(address):
    with pytest.raises(ConnectionRefusedError, match="without a network"):
        socket.create_connection(address, timeout=5)


def test_a_datagram_is_not_sent_either():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        pytest.raises(ConnectionRefusedError, match="without a network"),
    ):
        sock.sendto(b"hello", ("192.0.2.1", 9))


def test_a_download_fails_like_one_without_a_network():
    with pytest.raises(OSError, match="without a network"):
        urllib.request.urlopen("http://course.invalid/weights.h5", timeout=5)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_works_because_kernels_need_it(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1]), timeout=5).close()


def test_a_process_that_a_test_starts_is_cut_off_too():
    run = subprocess.run([sys.executable, "-c", REACH_OUT], capture_output=True, text=True)
    assert run.stdout.strip() == REFUSED


def test_a_notebook_kernel_is_cut_off_too(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(REACH_OUT)])
    run_notebook(notebook, tmp_path)
    assert notebook.cells[0].outputs[0].text.strip() == REFUSED


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs Linux's namespaces, and util-linux")
def test_offline_means_cut_off_for_compiled_code_too_but_for_loopback(tmp_path):
    """What `make test-offline` runs its tests in."""
    code = (
        "import socket; server = socket.create_server(('127.0.0.1', 0));"
        "socket.create_connection(server.getsockname()).close(); print('loopback works');"
        "s = socket.socket(); print(s.connect_ex(('192.0.2.1', 80)))"
    )
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"@(unshare .*? sh) \\\n", makefile)
    command = [*shlex.split(recipe.replace("$$", "$")), sys.executable, "-c", code]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}  # without the guard
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    if "unshare failed" in run.stderr:
        pytest.skip(run.stderr.strip())
    assert run.stdout.splitlines() == ["loopback works", str(errno.ENETUNREACH)], run.stderr

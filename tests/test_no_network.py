"""The tests run without a network; here it is shown that this is so."""

import os
import socket
import subprocess
import sys
import urllib.request

import nbformat
import pytest
from nbclient import NotebookClient

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


def test_a_notebook_kernel_is_cut_off_too():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(REACH_OUT)])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    assert notebook.cells[0].outputs[0].text.strip() == REFUSED


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's namespaces")
def test_the_offline_tool_cuts_compiled_code_off_and_keeps_loopback(tmp_path):
    code = (
        "import socket; server = socket.create_server(('127.0.0.1', 0));"
        "socket.create_connection(server.getsockname()).close(); print('loopback works');"
        "s = socket.socket(); print(s.connect_ex(('192.0.2.1', 80)))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["PYTHONPATH"] = os.environ["PYTHONPATH"].split(os.pathsep)[1]  # without the guard
    command = [sys.executable, "-m", "tools.offline", sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    if "forbids network namespaces" in run.stderr:
        pytest.skip(run.stderr.strip())
    import errno

    cut, loopback, code = run.stdout.splitlines()
    assert "cut off" in cut and loopback == "loopback works"
    assert int(code) == errno.ENETUNREACH

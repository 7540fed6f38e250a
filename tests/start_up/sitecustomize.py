"""Python loads this by itself when the folder is on PYTHONPATH: no network but loopback.

And, where `TLKIT_PERTURB` asks for it, the arithmetic of another computer (see perturbation.py).

The tests put it there for every process that they start, notebook kernels included, so each run of
the tests shows that the course needs no network. `make test-offline` shows it again with the
operating system's means, which bind compiled code, too.
"""

import ipaddress
import socket
import sys
from pathlib import Path

_REACHING_OUT = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_ASKING = {"socket.getaddrinfo", "socket.gethostbyname"}
_OWN_NAMES = {"", "localhost", "0.0.0.0", "::", socket.gethostname().lower()}


def _stays_here(host) -> bool:
    host = host.decode() if isinstance(host, bytes) else host
    if host is None or host.lower() in _OWN_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(event: str, arguments: tuple) -> None:
    if event in _ASKING:
        host = arguments[0]
    elif event in _REACHING_OUT:
        # (host, port, …), or a path for a Unix socket, or None.
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    else:
        return
    if not (host is None or isinstance(host, str | bytes)) or _stays_here(host):
        return
    raise ConnectionRefusedError(f"The tests run without a network; something asked for {host!r}.")


sys.addaudithook(_refuse)

# Run by the tests themselves, too, for which this folder is not on the path.
sys.path.insert(0, str(Path(__file__).parent))
import perturbation  # noqa: E402

sys.path.pop(0)
perturbation.install()

"""Run a command with every network but loopback cut off by Linux itself.

    python -m tools.offline pytest tests

The command, and every process that it starts, lives in a network namespace of its own, in which
there is nothing but the loopback device. No program beyond Python is needed, and no root.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of <linux/sched.h>
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
_OUTSIDE = ("192.0.2.1", 9)  # an address reserved for documentation: nobody is there


class CannotCut(RuntimeError):
    """The network cannot be cut here; the message says why, and what else to do."""


def cut_network() -> None:
    """Move this process into a network of its own that reaches nothing but itself.

    Raises:
        CannotCut: The system does not allow it.
    """
    if not sys.platform.startswith("linux"):
        raise CannotCut(
            "Cutting the network needs Linux's namespaces: pull the cable, then run: make test"
        )
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NET) != 0:  # root may; others need a user namespace around it
        if libc.unshare(_NEW_USER | _NEW_NET) != 0:
            raise CannotCut(
                f"This system forbids network namespaces ({os.strerror(ctypes.get_errno())}): "
                "run as root, allow user namespaces, or pull the cable and run: make test"
            )
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    _loopback_up()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_OUTSIDE)
        except OSError:
            return
    raise CannotCut("The namespace still has a way out: nothing would be proved.")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _loopback_up() -> None:
    """What `ip link set lo up` does, for computers without `ip`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(device, _GET_FLAGS, request))[1]
        fcntl.ioctl(device, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))


def main(arguments: list[str] | None = None) -> int:
    """Cut the network and become the command; returns only when that fails."""
    command = sys.argv[1:] if arguments is None else arguments
    if not command:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        cut_network()
    except CannotCut as error:
        print(error, file=sys.stderr)
        return 1
    print("Every network but loopback is cut off.", flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())

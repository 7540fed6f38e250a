#!/bin/sh
# Print a Python that the course runs on; otherwise say in one sentence what to install.
# $1: the Python to use, when the caller insists on one.

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
complete='import ensurepip, venv'

if [ -n "$1" ]; then set -- "$1"; else set -- python3.13 python3.12 python3.11 python3 python; fi

bare=
for python in "$@"; do
    "$python" -c "$fits" >/dev/null 2>&1 || continue
    if "$python" -c "$complete" >/dev/null 2>&1; then
        command -v "$python"
        exit 0
    fi
    bare=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
done

if [ -n "$bare" ]; then
    echo "$bare has no venv module: install it (on Debian and Ubuntu: sudo apt install $bare-venv) and run the command again." >&2
else
    seen=$(for python in "$@"; do "$python" --version 2>/dev/null && break; done)
    echo "The course needs Python 3.11, 3.12 or 3.13, and here is ${seen:-none}: install one from https://www.python.org/downloads/ and run the command again." >&2
fi
exit 1

"""Become a command that has one processor, in a memory cgroup if one is named.

    python _cage.py CGROUP COMMAND...      (CGROUP may be empty)

Needs nothing but Python, for it runs in environments that have little else.
"""

import os
import sys

if __name__ == "__main__":
    cgroup, command = sys.argv[1], sys.argv[2:]
    if cgroup:
        with open(os.path.join(cgroup, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.execvp(command[0], command)

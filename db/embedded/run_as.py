"""Run a command as an account that PostgreSQL accepts, tied to the life of its parent.

A program of its own, run by its path (``python -I -S confine.py PARENT MODE UID GID COMMAND …``), so that
nothing of the project is imported and no code runs between fork and exec of a process that has threads. MODE
is

* ``plain``: as the account that we are already;
* ``namespace``: as UID and GID inside a user namespace. To the files we stay who we are, so that nothing has
  to be
  opened for anybody; only PostgreSQL, which refuses to run as root, sees another number;
* ``account``: as the existing account UID and GID, all privileges dropped.

On Linux the command gets SIGINT, which is PostgreSQL's fast shutdown, the moment the process PARENT dies.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_CLONE_NEWUSER = 0x10000000  # linux/sched.h


def enter_namespace(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    """Become ``uid`` and ``gid`` in a new user namespace in which nobody else exists.

    Raises:
        OSError: the system forbids it.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    Path("/proc/self/setgroups").write_text("deny")  # without it the group map is refused
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def drop_to(uid: int, gid: int) -> None:
    """Become the account for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(libc: ctypes.CDLL, parent: int) -> None:
    """Ask for SIGINT when the parent dies; on systems other than Linux there is nothing to ask.

    A change of credentials takes the wish back, so this comes after it.
    """
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
    if os.getppid() != parent:  # it died before the wish was heard
        sys.exit("the process that wanted this is gone")


def main(arguments: Sequence[str]) -> None:
    """Become what was asked for, then turn into the command."""
    parent, mode, uid, gid = int(arguments[0]), arguments[1], int(arguments[2]), int(arguments[3])
    command = list(arguments[4:])
    libc = ctypes.CDLL(None, use_errno=True)  # now: the account may not be able to read Python's own files
    try:
        if mode == "namespace":
            enter_namespace(libc, uid, gid)
        elif mode == "account":
            drop_to(uid, gid)
        die_with(libc, parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execv(command[0], command)  # noqa: S606  # no shell is the point
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror} (as {mode})")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Walls around a tracker process: what hostile code in it, should a page ever run some, could still reach.

Memory is bounded everywhere. On Linux the process dies with its parent, gains no privileges, and, where the
kernel has Landlock (from 5.13 on; ports 6.7; signals 6.12), reads nothing but programs, certificates and time
zones, writes nothing, connects to no other port than its tracker's and signals nobody. The figures are those
of the kernel's `include/uapi/linux/landlock.h` and `prctl.h`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

MEMORY = 2 << 30  # bytes of address space; a page is 64 MB at most

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_GET_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_CONNECT_TCP, _BIND_TCP = 1 << 1, 1 << 0
_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # of files, in bits, from which version on
_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/localtime"),
    *("/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf"),
    *("/etc/services", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates"),
    *("/usr/local/share/ca-certificates", "/run/systemd/resolve", "/dev/null", "/dev/urandom"),
)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def limit_memory() -> None:
    """Bound the memory of this process, where the platform has such limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with(parent: int) -> None:
    """End this process at once when its parent ends, however busy it is; on Linux.

    Args:
        parent: the parent's process id, as the parent knows it.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we could ask
        os._exit(0)


def hide_memory() -> None:
    """Keep other processes of this account from reading this one's memory and environment; on Linux.

    The administrator still can, and so can whoever may trace any process.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def wall_in(readable: Iterable[Path], ports: Iterable[int]) -> int:
    """Give up, for good, what this process does not need.

    Args:
        readable: files and folders that it must still read, besides the system's own.
        ports: of TCP, to which it may connect.

    Returns:
        The version of Landlock that holds; 0: this system has none, nothing is kept from us but privileges.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if not sys.platform.startswith("linux"):
        return 0
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_GET_VERSION))
    if version < 1:
        return 0
    rights = max(bits for since, bits in _RIGHTS.items() if since <= version)
    wanted = _Ruleset(
        files=(1 << rights) - 1,
        net=_CONNECT_TCP | _BIND_TCP if version >= 4 else 0,
        scoped=3 if version >= 6 else 0,  # abstract sockets and signals
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = call(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        return 0
    try:
        for path in (*map(Path, _SYSTEM), *readable):
            _allow_reading(call, rules, path)
        if version >= 4:
            for port in ports:
                rule = _NetPort(allowed=_CONNECT_TCP, port=port)
                call(_ADD_RULE, rules, _NET_PORT, ctypes.byref(rule), 0)
        return version if call(_RESTRICT_SELF, rules, 0) == 0 else 0
    finally:
        os.close(rules)


def _allow_reading(call: Callable[..., int], rules: int, path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not here
        return
    try:
        allowed = _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        rule = _PathBeneath(allowed=allowed, parent=descriptor)
        call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)

"""Walls around a process that meets what strangers wrote: what code in it, should some ever run, could reach.

Memory is bounded everywhere. On Linux the process dies with its parent, gains no privileges, and, where the
kernel has Landlock (from 5.13 on; ports 6.7; signals 6.12), reads nothing but programs, certificates and time
zones, writes nothing, connects to no other port than its tracker's or its
proxy's, if to any, and signals nobody. The figures are those
of the kernel's `include/uapi/linux/landlock.h` and `prctl.h`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.source import Kind

MEMORY = 2 << 30  # bytes of address space of a tracker process; a page is 64 MB at most

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_GET_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_CONNECT_TCP, _BIND_TCP = 1 << 1, 1 << 0
_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # of files, in bits, from which version on
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/dev/null", "/dev/urandom")
_SYSTEM = (
    *(
        "/usr/share/zoneinfo",
        "/etc/localtime",
        "/etc/hosts",
        "/etc/host.conf",
        "/etc/resolv.conf",
        "/etc/nsswitch.conf",
        "/etc/gai.conf",
    ),
    *("/etc/services", "/run/systemd/resolve", "/etc/ssl/certs"),
    *("/etc/ssl/openssl.cnf", "/etc/pki/tls/certs", "/etc/pki/ca-trust", "/etc/ca-certificates"),
    *("/usr/share/ca-certificates", "/usr/local/share/ca-certificates"),
)
_PROGRAMS = ("stdlib", "platstdlib", "purelib", "platlib")  # names of sysconfig
_USUAL_PORTS = (53, 80, 443)  # names of hosts in long answers; where a tracker leads from http to https


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def limit_memory(size: int = MEMORY) -> None:
    """Bound the memory of this process, where the platform has such limits.

    Args:
        size: bytes of address space.
    """
    limit("RLIMIT_AS", size)
    limit("RLIMIT_CORE", 0)


def limit(name: str, size: int) -> None:
    """Bound something for good, by its name in `resource`, where the platform has that and allows it."""
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        resource.setrlimit(getattr(resource, name), (size, size))


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


def landlock_version() -> int:
    """The version of Landlock that the kernel has; 0: none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_GET_VERSION)))


def wall_in(readable: Iterable[Path], ports: Iterable[int] = ()) -> bool:
    """Give up, for good, what this process does not need; what it needs is loaded.

    Args:
        readable: files and folders that can still be read, beside the programs.
        ports: of TCP, that can still be connected to.

    Returns:
        Whether Landlock holds; where not, nothing is given up but privileges.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    version = landlock_version()
    if version == 0:
        return False
    rights = max(bits for since, bits in _RIGHTS.items() if since <= version)
    # Each version knows more rights; one that it does not know would be refused.
    wanted = _Ruleset(
        files=(1 << rights) - 1,
        net=_CONNECT_TCP | _BIND_TCP if version >= 4 else 0,
        scoped=3 if version >= 6 else 0,  # abstract sockets and signals
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _syscall(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        for path in (*_programs(), *readable):
            _allow_reading(rules, path)
        if version >= 4:
            for each in ports:
                rule = _NetPort(allowed=_CONNECT_TCP, port=each)
                _syscall(_ADD_RULE, rules, _NET_PORT, ctypes.byref(rule), 0)
        return _syscall(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)


def needs_of_a_tracker(kind: Kind, port: int | None) -> tuple[Iterable[Path], Iterable[int]]:
    """What a process for this kind of tracker still needs, for :func:`wall_in`.

    Args:
        kind: of the tracker; what was installed with it can still be read.
        port: of TCP, the tracker's or its proxy's; None: nobody is to be connected to.
    """
    return _of_the_network(kind), () if port is None else {port, *_USUAL_PORTS}


def _of_the_network(kind: Kind) -> Iterator[Path]:
    """The system's own, certificates, and what came with the kind."""
    import ssl

    yield from map(Path, _SYSTEM)
    yield from (Path(path) for path in ssl.get_default_verify_paths() if path and path.startswith("/"))
    # Not the folder that it was imported from: anything may lie there beside it.
    for part in (kind.open_source, kind.open_parser):
        package = sys.modules[part.__module__.partition(".")[0]]
        yield from map(Path, getattr(package, "__path__", [package.__file__]))


def _programs() -> Iterator[Path]:
    import sysconfig

    yield from map(Path, _LIBRARIES)
    yield from (Path(sysconfig.get_path(name)) for name in _PROGRAMS)
    yield Path(__file__).parents[1]


def _allow_reading(rules: int, path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not here
        return
    try:
        allowed = _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        rule = _PathBeneath(allowed=allowed, parent=descriptor)
        _syscall(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def _syscall(*arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(*arguments))


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)

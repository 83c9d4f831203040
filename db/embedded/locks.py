"""Locks between processes: the kernel frees them however their holder dies.

They belong to an open file, so every taker opens the file anew, closed on exec.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open a lock's file, making it where it is missing, and return the descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def is_held(path: Path) -> bool:
    """Tell whether some process holds the lock."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold the lock alone, however long that takes; a child that is given the descriptor holds it too."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


class SharedLock:
    """A lock that this process, none of its children, holds with others until it lets go or ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = open_lock(path)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        # A fork without an exec would keep the lock: the child lets go of its copy.
        itself = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _release(itself))

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._descriptor is not None

    def release(self) -> None:
        """Let go. The others keep theirs; doing it twice does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _release(reference: weakref.ref[SharedLock]) -> None:
    if (lock := reference()) is not None:
        lock.release()

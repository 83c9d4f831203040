"""Wrong passwords, counted by who sends them: after ten, no further one is looked at for five minutes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

MOST, REST = 10, 300.0  # wrong passwords, and the seconds until each is forgotten


class Tries:
    """The wrong passwords of the last minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without any.

        Args:
            clock: tells seconds.
        """
        self._clock = clock
        self._failed: dict[Hashable, list[float]] = {}
        self._lock = threading.Lock()

    def are_used_up(self, who: Hashable) -> bool:
        """Tell whether no further password of theirs is to be looked at."""
        now = self._clock()
        with self._lock:
            for each in list(self._failed):
                self._failed[each] = [moment for moment in self._failed[each] if now - moment < REST]
                if not self._failed[each]:
                    del self._failed[each]
            return len(self._failed.get(who, ())) >= MOST

    def note(self, who: Hashable) -> None:
        """Count a wrong one."""
        with self._lock:
            self._failed.setdefault(who, []).append(self._clock())


def sender(peer: str, forwarded: str, *, has_proxy: bool) -> str:
    """From where a request comes.

    Args:
        peer: who is connected.
        forwarded: the header X-Forwarded-For, whose last part a proxy adds; before that it is anybody's word.
        has_proxy: a proxy of ours hands requests on.
    """
    told = forwarded.rpartition(",")[2].strip()
    return told[:64] if has_proxy and told else peer

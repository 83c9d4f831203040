"""Who is looking: sessions in this process's memory and nowhere else, each with an end."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from db.acting import Acting, acting_for
from db.connections import close_kept_at
from db.engine import dispose_engine
from db.errors import DatabaseRefused
from db.settings import driver_url, libpq_url
from web.counts import Counts

SECONDS = 30  # that a statement for a page may take
_MOST = 1000  # sessions
_ENDED = "This session has ended: log in again."
_running: dict[int, tuple[str, Acting]] = {}  # whose key, and the transaction of a page that is being made


@dataclass(slots=True)
class Visitor:
    """Somebody with a cookie of ours."""

    key: str = field(repr=False)  # what the cookie says
    form_key: str = field(repr=False)  # what each of their forms says
    born: float
    seen: float
    user_id: int | None = None  # None: has not logged in yet
    name: str = ""
    url: str | None = field(default=None, repr=False)  # their own login's address; None: the configured one
    counts: Counts = field(default_factory=Counts, repr=False)  # figures that were counted for them

    @contextmanager
    def asking(self) -> Iterator[Acting]:
        """One read-only transaction of theirs, of one moment, over their own rows.

        Raises:
            DatabaseRefused: their session has ended meanwhile.
        """
        url, user_id = self.url, self.user_id  # in this order: without a user, no address counts
        if user_id is None:
            raise DatabaseRefused(_ENDED)
        try:
            with acting_for(user_id, url=url, everybody=False, only_reads=True, seconds=SECONDS) as acting:
                _running[id(acting)] = (self.key, acting)
                try:
                    if self.user_id is None:  # since this was begun: whoever ended it did not see this yet
                        raise DatabaseRefused(_ENDED)
                    yield acting
                finally:
                    del _running[id(acting)]
        finally:
            if self.user_id is None and url is not None:  # the connection was kept after all were closed
                _close_at(url)

    def wrote(self, form_key: str) -> bool:
        """Tell whether a form is one that we gave to them."""
        return hmac.compare_digest(self.form_key.encode(), form_key.encode())


def end_questions(key: str | None = None) -> None:
    """End what the database is being asked: nobody waits for the answer any more.

    Args:
        key: for the visitor with this key; None: whoever asks.
    """
    for whose, acting in list(_running.values()):
        if key in (None, whose):
            acting.cancel()


def _close_at(url: str) -> None:
    close_kept_at(libpq_url(driver_url(url)))
    dispose_engine(url)


class Visitors:
    """The sessions."""

    def __init__(self, *, idle: float, life: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without any.

        Args:
            idle: seconds without a request after which a session ends.
            life: seconds after which it ends in any case.
            clock: tells seconds.
        """
        self._idle, self._life, self._clock = idle, life, clock
        self._known: dict[str, Visitor] = {}
        self._lock = threading.Lock()

    def admit(self, user_id: int | None = None, name: str = "", url: str | None = None) -> Visitor:
        """Begin a session, under a key that nobody knows yet."""
        now = self._clock()
        new = Visitor(
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(32),
            now,
            now,
            user_id=user_id,
            name=name,
            url=url,
        )
        with self._lock:
            ended = self._sweep(now)
            if len(self._known) >= _MOST:
                # Who has not logged in goes first: nobody is put out by loading the form again and again.
                longest = min(self._known.values(), key=lambda each: (each.user_id is not None, each.seen))
                ended.append(self._known.pop(longest.key))
            self._known[new.key] = new
        self._let_go(ended)
        return new

    def find(self, key: str) -> Visitor | None:
        """The session of a cookie; None: there is none, or it has ended."""
        now = self._clock()
        with self._lock:
            ended = self._sweep(now)
            found = self._known.get(key)
            if found is not None:
                found.seen = now
        self._let_go(ended)
        return found

    def dismiss(self, visitor: Visitor) -> None:
        """End a session: its password is forgotten, its connections are closed."""
        with self._lock:
            self._known.pop(visitor.key, None)
        self._let_go([visitor])

    def _sweep(self, now: float) -> list[Visitor]:
        over = [
            each
            for each in self._known.values()
            if now - each.seen >= self._idle or now - each.born >= self._life
        ]
        for each in over:
            del self._known[each.key]
        return over

    def _let_go(self, ended: list[Visitor]) -> None:
        still = {each.url for each in list(self._known.values())}
        for each in ended:
            url = each.url
            each.user_id = None  # before the address goes: nobody asks by the configured one instead
            each.url = None
            # Only now: what is begun or kept from here on sees that the session has ended.
            end_questions(each.key)
            if url is not None and url not in still:
                _close_at(url)

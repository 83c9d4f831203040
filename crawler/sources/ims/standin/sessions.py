"""Who is logged in: sessions by their cookie, with an end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hmac import compare_digest

from crawler.sources.ims.standin.model import Account

COOKIE = "JSESSIONID"


@dataclass(slots=True)
class _Session:
    account: str | None
    last_used: float
    uses: int = 0


class Sessions:
    """The sessions of the tracker.

    Args:
        accounts: who may log in.
        seconds: how long a session lives unused; the original's live about half an hour.
        quota: how many requests a session lives; None: any number.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        *,
        seconds: float = 1800.0,
        quota: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accounts = {account.name: account for account in accounts}
        self.seconds = seconds
        self.quota = quota
        self._clock = clock
        self._sessions: dict[str, _Session] = {}

    def start(self) -> str:
        """Begin a session of nobody and return the value of its cookie."""
        session_id = secrets.token_hex(16).upper()
        self._sessions[session_id] = _Session(None, self._clock())
        return session_id

    def login(self, name: str, password: str) -> str | None:
        """Begin a session of an account and return its cookie; None when name or password are wrong."""
        account = self.accounts.get(name)
        if account is None or not compare_digest(account.password.encode(), password.encode()):
            return None
        session_id = self.start()
        self._sessions[session_id].account = name
        return session_id

    def account_of(self, session_id: str | None) -> Account | None:
        """Who a session belongs to; None when it is nobody's, unknown or over. Use keeps it alive."""
        session = self._sessions.get(session_id or "")
        if session is None or session.account is None:
            return None
        now = self._clock()
        session.uses += 1
        if now - session.last_used > self.seconds or (self.quota is not None and session.uses > self.quota):
            del self._sessions[session_id or ""]
            return None
        session.last_used = now
        return self.accounts.get(session.account)

    def knows(self, session_id: str | None) -> bool:
        """Tell whether a cookie is one of ours, logged in or not."""
        return session_id in self._sessions

    def expire_all(self) -> None:
        """End every session."""
        self._sessions.clear()

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password; sessions that it has go on."""
        self.accounts[name] = replace(self.accounts[name], password=password)

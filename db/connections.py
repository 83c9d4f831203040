"""The driver's own connections as the application; a process keeps one of them open between two transactions.

The kept one goes on to the user that it acted for, and to nobody else: nothing of one user is ever within
another one's reach.
"""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass

import psycopg

from db.setup.role_check import check_login


@dataclass(frozen=True, slots=True)
class _Kept:
    conninfo: str
    user_id: int | None  # whom it acted for; None: nobody yet
    connection: psycopg.Connection


_kept: list[_Kept] = []  # at most one
_checked: set[str] = set()  # addresses whose login was looked at
_lock = threading.Lock()
_of_the_parent: list[_Kept] = []  # a forked child must not speak over them, nor end them


def open_checked(conninfo: str) -> psycopg.Connection:
    """Open a connection; the first one to an address refuses what row security would not hold for.

    Raises:
        psycopg.OperationalError: nobody answers, or the login is refused.
        DatabaseError: as in :func:`db.setup.role_check.check_login`.
    """
    connection = psycopg.connect(
        conninfo, application_name="ims-crawler", connect_timeout=10, prepare_threshold=None
    )
    if conninfo not in _checked:
        try:
            check_login(connection)
        except BaseException:
            connection.close()
            raise
        _checked.add(conninfo)
    return connection


def take_kept(conninfo: str, user_id: object) -> psycopg.Connection | None:
    """Take the kept connection where it is to this address, and has acted for this user or for nobody yet."""
    with _lock:
        kept = _kept.pop() if _kept else None
    if kept is None:
        return None
    if kept.conninfo == conninfo and kept.user_id in (None, user_id) and not kept.connection.closed:
        return kept.connection
    kept.connection.close()
    return None


def keep(conninfo: str, connection: psycopg.Connection, *, user_id: int | None) -> None:
    """Keep a connection that is outside of a transaction, or close it where there is one already."""
    with _lock:
        if not _kept:
            _kept.append(_Kept(conninfo, user_id, connection))
            return
    connection.close()


def close_kept() -> None:
    """Close the connection that this process keeps; asked for again, another one is opened."""
    with _lock:
        _checked.clear()
        while _kept:
            _kept.pop().connection.close()


def _abandon() -> None:
    _of_the_parent.extend(_kept)
    _kept.clear()


os.register_at_fork(after_in_child=_abandon)
atexit.register(close_kept)

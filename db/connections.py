"""The driver's own connections; a process keeps one of them open between two transactions, a server several.

A kept one goes on to the user that it acted for, at the same address, and to nobody else: nothing of one user
is ever within another one's reach.
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


_kept: list[_Kept] = []  # the one that was kept last comes last
_most = 1  # as many
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
    """Take a kept connection to this address that has acted for this user or for nobody yet."""
    with _lock:
        for place in reversed(range(len(_kept))):
            kept = _kept[place]
            if kept.conninfo == conninfo and kept.user_id in (None, user_id):
                del _kept[place]
                if not kept.connection.closed:
                    return kept.connection
    return None


def keep(conninfo: str, connection: psycopg.Connection, *, user_id: int | None) -> None:
    """Keep a connection that is outside of a transaction, in the place of the one that lay longest."""
    with _lock:
        _kept.append(_Kept(conninfo, user_id, connection))
        former = [_kept.pop(0).connection for _ in range(len(_kept) - _most)]
    for each in former:
        each.close()


def keep_several(most: int) -> None:
    """Keep up to so many connections from now on: a server has several questions at once."""
    global _most
    _most = most


def close_kept_at(conninfo: str) -> None:
    """Close what is kept to an address: its login has gone."""
    with _lock:
        gone = [each for each in _kept if each.conninfo == conninfo]
        _kept[:] = [each for each in _kept if each.conninfo != conninfo]
        _checked.discard(conninfo)
    for each in gone:
        each.connection.close()


def close_kept() -> None:
    """Close what this process keeps; asked for again, another one is opened."""
    with _lock:
        _checked.clear()
        while _kept:
            _kept.pop().connection.close()


def _abandon() -> None:
    _of_the_parent.extend(_kept)
    _kept.clear()


os.register_at_fork(after_in_child=_abandon)
atexit.register(close_kept)

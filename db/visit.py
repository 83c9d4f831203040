"""Connections for statements that are not the program's own: their session can be nobody else."""

from __future__ import annotations

import secrets

import psycopg

from db.acting import Acting
from db.connections import open_checked
from db.settings import libpq_url, with_account


def is_delegate(acting: Acting) -> bool:
    """Tell whether the connection's login may act for others: the program's may, a person's not."""
    return bool(acting.value("assistant", "is_delegate", {}))


def open_visit(acting: Acting, url: str) -> psycopg.Connection:
    """Open a connection, in autocommit, by a login of minutes: the acting user's, who sees their own rows.

    Args:
        acting: for whom; ends its transaction, for others see a login only then.
        url: the address of the program's own login.

    Raises:
        psycopg.Error: the login cannot be made, or does not get in.
    """
    from sqlalchemy import make_url

    password = secrets.token_urlsafe(24)
    verifier = acting.connection.pgconn.encrypt_password(password.encode(), b"visit", b"scram-sha-256")
    login = acting.value("assistant", "open_visit", {"verifier": verifier.decode()})
    acting.connection.commit()
    address = with_account(make_url(url), login, password).render_as_string(hide_password=False)
    return open_person(address)


def open_person(url: str) -> psycopg.Connection:
    """Open a connection of a person's own login, in autocommit.

    Raises:
        psycopg.OperationalError: nobody answers, or the login is refused.
        DatabaseError: row security would not hold for it.
    """
    connection = open_checked(libpq_url(url))
    connection.autocommit = True
    return connection

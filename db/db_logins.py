"""A database login of a user's own, for psql or a BI tool: it *is* its user."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.errors import DatabaseRefused
from db.models import User
from db.refusals import translate_sqlstate
from db.session import driver_connection

_SHORTEST = 8  # characters
_CHECK = text("SELECT ims.check_login(:user_id, :login)")
_CREATE = text("SELECT ims.create_login(:user_id, :login, :verifier)")


def create_personal_login(
    session: Session, username: str, password: str, *, login: str | None = None
) -> User:
    """Make a user's personal database login, in the session's transaction.

    The password leaves this process as a SCRAM verifier only.

    Args:
        session: acts for an admin.
        username: whose.
        password: from a prompt or standard input.
        login: the login's name; None: the username.

    Raises:
        DatabaseRefused: the session does not act for an admin; there is no such active user; they have a
            login, or the name is taken or cannot be one; the password is too short.
    """
    if len(password) < _SHORTEST:
        raise DatabaseRefused(f"The password is too short: use {_SHORTEST} characters or more.")
    name = login or username
    sentences = {
        "42501": "Only an admin makes logins.",
        "P0002": "There is no such active user.",
        "42710": "The user has a database login already, or the server has a login of this name.",
        "42602": "A database login cannot have this name: no ims_ or pg_ in front, 63 bytes at most.",
    }
    session.flush()
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        raise DatabaseRefused("There is no such active user.")
    if not user.is_active:
        raise DatabaseRefused(f"User {username} is disabled: enable them first with users enable {username}.")
    with translate_sqlstate(sentences), session.begin_nested():
        # First without the verifier: a statement that fails may stand in the server's log with its values.
        session.execute(_CHECK, {"user_id": user.user_id, "login": name})
        session.execute(
            _CREATE, {"user_id": user.user_id, "login": name, "verifier": _verifier(session, name, password)}
        )
    session.refresh(user)
    return user


def _verifier(session: Session, login: str, password: str) -> str:
    made = driver_connection(session).pgconn.encrypt_password(
        password.encode(), login.encode(), b"scram-sha-256"
    )
    return made.decode()

"""Users: made, listed, changed and disabled by an admin, for whom the session acts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db.errors import DatabaseRefused, ValueRefused
from db.models import Base, User
from db.refusals import translate_sqlstate

ROLES = ("admin", "user", "readonly")


def add_user(
    session: Session,
    username: str,
    *,
    role: str = "user",
    email: str | None = None,
    full_name: str | None = None,
    department: str | None = None,
) -> User:
    """Make a user.

    Raises:
        ValueRefused: the name cannot be one.
        DatabaseRefused: the session does not act for an admin, the name is taken, or there is no such role.
    """
    if not username.strip() or any(not character.isprintable() for character in username):
        raise ValueRefused("A username is one word of printable characters.")
    _check_role(role)
    user = User(username=username, role=role, email=email, full_name=full_name, department=department)
    sentences = {"42501": "Only an admin makes users.", "23505": _taken(session, username)}
    with translate_sqlstate(sentences), session.begin_nested():
        session.add(user)
    return user


def list_users(session: Session, *, limit: int | None = None, offset: int = 0) -> Sequence[User]:
    """Return the users that the session may see, by name: for an admin or analyst all, else oneself."""
    return session.scalars(select(User).order_by(User.username).limit(limit).offset(offset)).all()


def find_user(session: Session, username: str) -> User | None:
    """Return a user that the session may see."""
    return session.scalar(select(User).where(User.username == username))


def count_rows(session: Session, user_id: int, table: str) -> tuple[int, int]:
    """Count the rows of a table that the session sees: those of a user, and those of others."""
    columns = Base.metadata.tables[f"ims.{table}"].c
    mine = columns.user_id == user_id
    own, others = session.execute(select(func.count().filter(mine), func.count().filter(~mine))).one()
    return own, others


def disable_user(session: Session, username: str) -> User:
    """Take everything from a user at once: no session acts for them any more, and their login is cut off.

    Raises:
        DatabaseRefused: the session does not act for an admin, there is no such user, or they are the last
            active admin.
    """
    return _change(session, username, is_active=False)


def enable_user(session: Session, username: str) -> User:
    """Give a disabled user back what they had.

    Raises:
        DatabaseRefused: the session does not act for an admin, or there is no such user.
    """
    return _change(session, username, is_active=True)


def set_role(session: Session, username: str, role: str) -> User:
    """Give a user another role; their personal login follows.

    Raises:
        DatabaseRefused: as in :func:`disable_user`, or there is no such role.
    """
    _check_role(role)
    return _change(session, username, role=role)


def require_writer(session: Session) -> None:
    """Refuse a user who only looks before a statement does, whose values would stand in the server's log.

    Raises:
        DatabaseRefused: the session acts for an analyst.
    """
    if session.scalar(select(func.ims.current_user_role())) == "readonly":
        raise DatabaseRefused("Analysts look and do not write: this needs a user's account.")


def _change(session: Session, username: str, **values: object) -> User:
    unknown = "There is no such user, or you are no admin."
    last = f"{username} is the last active admin: make another one first with users role NAME admin."
    change = update(User).where(User.username == username).values(**values).returning(User)
    with translate_sqlstate({"42501": unknown, "55000": last}), session.begin_nested():
        user = session.scalar(change)
    if user is None:
        raise DatabaseRefused(unknown)
    return user


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise DatabaseRefused(f"There is no role of that name: use one of {', '.join(ROLES)}.")


def _taken(session: Session, username: str) -> str:
    """What to say of a name that is taken; only an admin sees whether it is a disabled user's."""
    active = session.scalar(select(User.is_active).where(User.username == username))
    if active is False:
        return f"User {username} is disabled: give them back what they had with users enable {username}."
    return "There is a user of this name already."

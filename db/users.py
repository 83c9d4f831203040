"""Users: made, listed and disabled by an admin, for whom the session acts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.errors import DatabaseRefused
from db.models import User
from db.refusals import explained

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
        DatabaseRefused: the session does not act for an admin, the name is taken, or there is no such role.
    """
    if not username.strip() or any(not character.isprintable() for character in username):
        raise DatabaseRefused("A user's name is a word of printable characters.")
    if role not in ROLES:
        raise DatabaseRefused(f"There is no role of that name: use one of {', '.join(ROLES)}.")
    user = User(username=username, role=role, email=email, full_name=full_name, department=department)
    sentences = {"42501": "Only an admin makes users.", "23505": "There is a user of this name already."}
    with explained(sentences), session.begin_nested():
        session.add(user)
    return user


def list_users(session: Session, *, limit: int | None = None, offset: int = 0) -> Sequence[User]:
    """Return the users that the session may see, by name: for an admin or analyst all, else oneself."""
    return session.scalars(select(User).order_by(User.username).limit(limit).offset(offset)).all()


def disable_user(session: Session, username: str) -> User:
    """Take everything from a user at once: no session acts for them any more, and their login is cut off.

    Raises:
        DatabaseRefused: the session does not act for an admin, or there is no such user.
    """
    return _set_active(session, username, active=False)


def enable_user(session: Session, username: str) -> User:
    """Give a disabled user back what they had.

    Raises:
        DatabaseRefused: as in :func:`disable_user`.
    """
    return _set_active(session, username, active=True)


def _set_active(session: Session, username: str, *, active: bool) -> User:
    sentence = "There is no such user, or you are no admin."
    change = update(User).where(User.username == username).values(is_active=active).returning(User)
    with explained({"42501": sentence}), session.begin_nested():
        user = session.scalar(change)
    if user is None:
        raise DatabaseRefused(sentence)
    return user

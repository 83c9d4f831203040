"""Everything that can go wrong between us and the database, named after what the caller does about it.

    DatabaseError              one sentence for the user (exit 5 unless said otherwise)
    ├── DatabaseUnreachable    nobody answers at the address: try again later
    ├── DatabaseRefused        the server does not let this login in, or we refuse the login (exit 3)
    │   └── IdentityRefused        nobody may act as this user here, if there is one
    ├── DatabaseUnfit          the server or its schema is not what it should be: upgrade, or init
    ├── ValueRefused           a value is outside of its column's bounds: give another one (exit 2)
    ├── TooSlow                a statement took longer than it may: ask for less
    ├── FenceLost              another process holds the session now: stop, commit nothing
    └── EmbeddedError          the server that the program brings along
        ├── NoBinaries             there is no PostgreSQL for this platform: set DATABASE_URL
        ├── DataFolderUnusable     the data folder cannot be used as it is
        │   ├── DataFolderForbidden    we may not read or write it
        │   ├── DataFolderOutdated     another major version of PostgreSQL wrote it
        │   └── DiskFull               no space is left where it is
        └── ServerFailed           PostgreSQL did not start, or did not stop

Driver errors are translated once, at the boundary, with their cause. No sentence carries a password.
"""

from __future__ import annotations

from collections.abc import Callable


class DatabaseError(Exception):
    """Something is wrong with the database, no defect of ours; ``str()`` is a sentence for the user."""


class DatabaseUnreachable(DatabaseError):
    """No server answers at the address."""


class DatabaseRefused(DatabaseError):
    """The server refuses the login, or the login is one that we refuse to work with."""


class IdentityRefused(DatabaseRefused):
    """The user is unknown, disabled or somebody else: which of them is not told."""


class DatabaseUnfit(DatabaseError):
    """The server, or the schema on it, is not what this program needs."""


class ValueRefused(DatabaseError):
    """A value is outside of its column's bounds (``sql/functions/bound_columns.sql``)."""


class TooSlow(DatabaseError):
    """A statement took longer than it may, and was ended."""


class FenceLost(DatabaseError):
    """Another process has taken the session over: what this one holds must not be committed."""


class EmbeddedError(DatabaseError):
    """The server that the program brings along cannot be used."""


class NoBinaries(EmbeddedError):
    """No PostgreSQL that runs on this platform is installed."""


class DataFolderUnusable(EmbeddedError):
    """The data folder cannot be used as it is."""


class DataFolderForbidden(DataFolderUnusable):
    """The data folder may not be read or written by this account."""


class DataFolderOutdated(DataFolderUnusable):
    """The data folder was written by another major version of PostgreSQL."""


class DiskFull(DataFolderUnusable):
    """No space is left where the data folder is."""


class ServerFailed(EmbeddedError):
    """PostgreSQL did not start, or did not stop."""


_UNREACHABLE = "The database cannot be reached: start it, or check DATABASE_URL."
_LOGIN = "The database refuses the login: check the name and password in DATABASE_URL."
_ABSENT = "There is no such database on the server: check DATABASE_URL, or create it."
_UNFIT = "The database has not this program's schema: run db init or db upgrade with an administrator's URL."
_BY_STATE = {
    "28": (DatabaseRefused, _LOGIN),
    "42501": (DatabaseRefused, "The database does not permit this."),
    "3D000": (DatabaseUnfit, _ABSENT),
    "3F000": (DatabaseUnfit, _UNFIT),
    "42P01": (DatabaseUnfit, _UNFIT),
    "42703": (DatabaseUnfit, _UNFIT),
    "42883": (DatabaseUnfit, _UNFIT),
    "23514": (
        ValueRefused,
        "The database does not take one of these values: it is too large, too long or odd.",
    ),
    "57014": (TooSlow, "The database took too long: ask for less."),
    "55P03": (
        DatabaseUnreachable,
        "Somebody else keeps rows or tables locked that this needs: try again later.",
    ),
    "25006": (DatabaseUnreachable, "The database is read-only at present: make it writable."),
    "53100": (DatabaseUnreachable, "No space is left on the database's disk: free some."),
    "08": (DatabaseUnreachable, _UNREACHABLE),
    "53300": (DatabaseUnreachable, "The database has no connection left: try again later."),
    "57P": (DatabaseUnreachable, "The database is shutting down or starting up: try again later."),
}
# A server refuses a connection without a state; its words are English unless it was told otherwise.
_BY_WORDS = {
    "password": (DatabaseRefused, _LOGIN),
    "authentication failed": (DatabaseRefused, _LOGIN),
    "not permitted to log in": (DatabaseRefused, _LOGIN),
    'role "': (DatabaseRefused, _LOGIN),
    'database "': (DatabaseUnfit, _ABSENT),
}


def translated(error: Exception) -> DatabaseError:
    """Say in our words what the driver's error says; raise the result ``from`` it.

    Args:
        error: a psycopg error. Its own text is not repeated: it may quote values.
    """
    state: str | None = getattr(error, "sqlstate", None)
    if state is None:
        return _first(_BY_WORDS, lambda words: words in str(error)) or DatabaseUnreachable(_UNREACHABLE)
    known = _first(_BY_STATE, state.startswith)
    return known or DatabaseError(f"The database refused a statement (SQLSTATE {state}).")


def _first(
    table: dict[str, tuple[type[DatabaseError], str]], fits: Callable[[str], bool]
) -> DatabaseError | None:
    return next((kind(sentence) for key, (kind, sentence) in table.items() if fits(key)), None)

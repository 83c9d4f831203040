"""Where the embedded server answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerAddress:
    """A server on a Unix socket. Its repr never shows the password; the URLs do: keep them out of logs."""

    host: str  # the folder of the socket, absolute
    port: int  # only a part of the socket's name
    superuser: str
    password: str = field(repr=False)  # the superuser's
    dbname: str = "postgres"  # the database that is always there

    def superuser_url(self, dbname: str | None = None) -> str:
        """The superuser's URL, for SQLAlchemy with psycopg 3."""
        return self.url(self.superuser, self.password, dbname)

    def url(self, user: str, password: str, dbname: str | None = None) -> str:
        """A login's URL, for SQLAlchemy with psycopg 3; without ``+psycopg`` it is one for libpq."""
        account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        database = quote(dbname or self.dbname, safe="")
        return (
            f"postgresql+psycopg://{account}@/{database}?host={quote(self.host, safe='/')}&port={self.port}"
        )

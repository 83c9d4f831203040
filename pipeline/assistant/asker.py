"""Who asks through an assistant, and the transactions in which their questions are answered."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

import psycopg

from db.acting import Acting, acting_as_person, acting_for
from db.errors import translated
from db.statement import Rows, run_statement
from db.visit import is_delegate, open_person, open_visit

LONGEST = 20  # seconds that one answer may take in the database


@dataclass(kw_only=True)
class Asker:
    """Somebody who asks, about their own rows."""

    url: str = field(repr=False)  # the database's address, with the login of who asks or of the program
    user_id: int
    is_person: bool = False  # the address has a personal login: nothing is kept between two questions
    everybody: bool = False  # about everybody's; for admins and analysts
    _visit: psycopg.Connection | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def acting(self) -> AbstractContextManager[Acting]:
        """Give a transaction of theirs that only reads.

        Raises:
            DatabaseError: the database is unreachable, or refuses them.
        """
        if self.is_person:
            return acting_as_person(self.url, everybody=self.everybody, only_reads=True, seconds=LONGEST)
        return acting_for(
            self.user_id, url=self.url, everybody=self.everybody, only_reads=True, seconds=LONGEST
        )

    def run(self, statement: str, *, most: int) -> Rows:
        """Run a statement of theirs in a session that can be nobody else.

        Raises:
            StatementRefused: as in :func:`db.statement.run_statement`.
            DatabaseError: the database is unreachable, or refuses them.
        """
        try:
            if self.is_person:
                with open_person(self.url) as connection:
                    return self._run_on(connection, statement, most)
            with self._lock:
                return self._run_on(self._visiting(), statement, most)
        except psycopg.OperationalError as error:
            raise translated(error) from error

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            if self._visit is not None:
                self._visit.close()
                self._visit = None

    def _run_on(self, connection: psycopg.Connection, statement: str, most: int) -> Rows:
        own_rows = not self.everybody
        return run_statement(connection, statement, most=most, seconds=LONGEST, own_rows=own_rows)

    def _visiting(self) -> psycopg.Connection:
        """The connection for statements, a new one where the last one was lost."""
        if self._visit is not None:
            with suppress(psycopg.OperationalError):
                self._visit.execute("SELECT")
                return self._visit
            self._visit.close()
        with acting_for(self.user_id, url=self.url) as acting:
            if is_delegate(acting):
                self._visit = open_visit(acting, self.url)
                return self._visit
        self._visit = open_person(self.url)
        return self._visit

"""The job queue, as the application's login sees it: in no user's name, by ids only.

Its tables are procrastinate's, in the schema ``ims_jobs``. Whatever a job is for is under row security, where
the job's doer acts for the owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from db.engine import engine_for
from db.errors import translated
from db.location import configured_url
from db.queries import statements
from db.settings import read_settings

SCHEMA = "ims_jobs"


@contextmanager
def application() -> Iterator[psycopg.Connection]:
    """A transaction of the application's login, which acts for nobody.

    Raises:
        DatabaseError: the database is unreachable, or the login is not the application's.
    """
    with engine_for(configured_url(read_settings())).begin() as connection:
        driver = _driver(connection.connection.driver_connection)
        try:
            driver.execute("SELECT set_config('search_path', %s, true)", (SCHEMA,))
            yield driver
        except psycopg.Error as error:
            raise translated(error) from error


def defer(session: Session, queue: str, task: str, jobs: Sequence[Mapping[str, int]]) -> None:
    """Put jobs into the queue within a transaction that acts for a user; it still does afterwards.

    Args:
        session: acts for the user.
        queue: the queue's name.
        task: the task's name.
        jobs: each job's arguments: ids, and nothing else.
    """
    if not jobs:
        return
    session.flush()
    driver = _driver(session.connection().connection.driver_connection)
    before = driver.execute("SELECT current_user, current_setting('search_path')").fetchone()
    assert before is not None  # noqa: S101 - a SELECT without FROM
    try:
        # The user's group has nothing to do with the queue: the login itself has.
        driver.execute(
            "SELECT set_config('role', 'none', true), set_config('search_path', %s, true)", (SCHEMA,)
        )
        values = {"queue": queue, "task": task, "jobs": Jsonb([dict(job) for job in jobs])}
        driver.execute(statements("jobs")["defer"], values)
        driver.execute("SELECT set_config('role', %s, true), set_config('search_path', %s, true)", before)
    except psycopg.Error as error:
        raise translated(error) from error


def due(most: int) -> list[tuple[int, int]]:
    """Whose schedules are due: pairs of user and saved search, the longest due first."""
    with application() as connection:
        return connection.execute(statements("jobs")["due"], {"most": most}).fetchall()


def due_alerts(most: int) -> list[tuple[int, int]]:
    """Whose alerts are to be looked at: pairs of user and saved search, the longest due first."""
    with application() as connection:
        return connection.execute(statements("jobs")["due_alerts"], {"most": most}).fetchall()


def waits(task: str, job: Mapping[str, int]) -> bool:
    """Tell whether such a job is in the queue and nobody has begun with it."""
    with application() as connection:
        values = {"task": task, "args": Jsonb(dict(job))}
        return connection.execute(statements("jobs")["waits"], values).fetchone() is not None


def lost(most: int, *, silence: float) -> list[tuple[int, int]]:
    """The runs that are said to work and have no job: pairs of user and run, every user's oldest first.

    Args:
        most: at most this many.
        silence: seconds without a sign of life after which nobody works on a session outside of the queue.
    """
    with application() as connection:
        values = {"most": most, "silence": silence}
        return connection.execute(statements("jobs")["lost"], values).fetchall()


def take_stalled_back(seconds: float) -> int:
    """Put the jobs of workers without a sign of life back, each in a transaction of its own.

    Args:
        seconds: without a sign of life.

    Returns:
        How many.
    """
    with application() as connection:
        stalled = connection.execute(statements("jobs")["stalled"], {"seconds": seconds}).fetchall()
    taken = 0
    for job_id, worker_id in stalled:
        with application() as connection:
            values = {"job_id": job_id, "worker_id": worker_id, "seconds": seconds}
            taken += connection.execute(statements("jobs")["take_back"], values).rowcount
    return taken


def unfinished(seconds: float, queue: str | None = None) -> int:
    """How many jobs of a queue, or of all, are under way or could begin within so many seconds."""
    with application() as connection:
        values = {"seconds": seconds, "queue": queue}
        row = connection.execute(statements("jobs")["unfinished"], values).fetchone()
    return int(row[0]) if row else 0


def clean() -> None:
    """Forget what failed, and who vanished, long ago."""
    with application() as connection:
        connection.execute(statements("jobs")["clean"])
        connection.execute(statements("jobs")["clean_workers"])


def sign_of_life(
    worker: UUID,
    *,
    name: str,
    concurrency: int,
    queue_worker_id: int | None,
    stopping: bool,
    waits_for: str | None = None,
) -> None:
    """Say that a worker is there; and that nothing moves in what it does, and what it waits for."""
    values = {
        "worker": worker,
        "name": name,
        "concurrency": concurrency,
        "queue_worker_id": queue_worker_id,
        "stopping": stopping,
        "waits_for": waits_for,
    }
    with application() as connection:
        connection.execute(statements("jobs")["sign_of_life"], values)


def farewell(worker: UUID) -> None:
    """Say that a worker has ended."""
    with application() as connection:
        connection.execute(statements("jobs")["farewell"], {"worker": worker})


def list_workers(*, lease_timeout: float, limit: int, offset: int) -> list[dict[str, Any]]:
    """The workers, oldest first.

    Args:
        lease_timeout: seconds without a sign of life after which a worker counts as lost.
        limit: at most this many.
        offset: skip this many.

    Returns:
        Dictionaries of ``name``, ``state`` (idle, working, stopping, lost), ``jobs``, ``concurrency``,
        ``started_at``, ``last_seen_at``, ``waits_for`` (None: something moves in all that it does).
    """
    with application() as connection, connection.cursor(row_factory=dict_row) as cursor:
        values = {"lease_timeout": lease_timeout, "limit": limit, "offset": offset}
        return cursor.execute(statements("jobs")["workers"], values).fetchall()


def _driver(connection: object) -> psycopg.Connection:
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(type(connection))
    return connection

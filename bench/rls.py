"""What row security costs: the same work with it and without it, in turns, in one run.

A million issues of twenty users. *With*: the application's login acts for a user, policies apply. *Without*:
the server's superuser, whom no policy binds, asks for the same user's rows with ``WHERE user_id = …``.
Taking the identity, once a transaction, is given by itself, beside a statement that does nothing. The
search function also finds numbers, filters and makes snippets; beside it is the bare search it rests on.

Run as ``python -m bench.rls [--issues N] [--users N] [--rounds N]``; prints one JSON object, milliseconds.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench import conninfo
from db.embedded import EmbeddedServer
from db.setup.bootstrap import ensure_database, initialise

BATCH = 500
WORDS = 20_000
# Words by rank: the first is in every third issue or so, the last in almost none.
FILL = """
INSERT INTO ims.issues (user_id, issue_id, title, description, product, modified_date, search_vector)
SELECT user_id, issue_id, title, description, 'product ' || n %% 7, now() - n * interval '1 minute',
       ims.document_vector(user_id, title, description, NULL, NULL)
FROM (
    SELECT n, 2 + n %% %(users)s::integer AS user_id, n::text AS issue_id, 'issue ' || n AS title,
           (SELECT string_agg('word' || floor(%(words)s::float ^ random())::text, ' ')
            FROM generate_series(1, 25 + (n * 0)::integer)) AS description
    FROM generate_series(%(first)s::integer, %(last)s::integer) AS n OFFSET 0
) AS made
"""
UPSERT = """
INSERT INTO ims.issues (user_id, issue_id, title, content_hash, search_vector)
SELECT %(user_id)s, number::text, 'issue ' || number, decode(md5(random()::text), 'hex'),
       ims.document_vector(%(user_id)s, 'issue ' || number, NULL, NULL, NULL)
FROM unnest(%(numbers)s::bigint[]) AS number
ON CONFLICT (user_id, tracker_id, issue_id) DO UPDATE
SET title = excluded.title, content_hash = excluded.content_hash, search_vector = excluded.search_vector
"""
Work = Callable[[psycopg.Connection, int, str], object]


def main() -> None:
    """Fill a database, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=41)
    options = parser.parse_args()
    with _filled(options.issues, options.users) as (superuser, application, seconds):
        figures = {
            name: _side_by_side(superuser, application, work, options.users, options.rounds)
            for name, work in _works(options.issues, options.users).items()
        }
        figures["text_search"] |= {"sequential_scan": _scans(superuser, options.users)}
    whole = {"issues": options.issues, "users": options.users, "fill_seconds": round(seconds, 1), **figures}
    sys.stdout.write(json.dumps(whole, indent=2) + "\n")


def _nothing(connection: psycopg.Connection, user_id: int, word: str) -> object:
    return connection.execute("SELECT set_config('ims.nothing', %s, true)", (str(user_id),)).fetchall()


def _identity(connection: psycopg.Connection, user_id: int, word: str) -> object:
    return connection.execute("SELECT ims.set_current_user(%s)", (user_id,)).fetchall()


TAKING: tuple[Work, Work] = (_nothing, _identity)


def _works(issues: int, users: int) -> dict[str, tuple[Work, Work]]:
    """Each work without and with row security; what is asked for is drawn from one seed."""
    chance = random.Random(11)  # noqa: S311 - no secret

    def ask(query: str) -> Work:
        def work(connection: psycopg.Connection, user_id: int, word: str) -> object:
            number = user_id - 2 + users * chance.randrange(max(1, issues // users))
            values = {"user_id": user_id, "number": str(number), "word": word}
            return connection.execute(query.encode(), values).fetchall()

        return work

    def upsert(connection: psycopg.Connection, user_id: int, word: str) -> object:
        first = chance.randrange(max(1, issues // users - BATCH))
        numbers = [user_id - 2 + users * (first + n) for n in range(BATCH)]
        connection.execute("SELECT set_config('ims.bulk', 'on', true)")
        return connection.execute(UPSERT.encode(), {"user_id": user_id, "numbers": numbers})

    mine = "user_id = %(user_id)s AND"
    newest = "SELECT issue_pk, title FROM ims.issues WHERE {} true ORDER BY modified_date DESC LIMIT 50"
    # tracker_id is said: the index has it between the user and the number
    single = "SELECT * FROM ims.issues WHERE {} tracker_id IS NULL AND issue_id = %(number)s"
    count = "SELECT count(*) FROM ims.issues WHERE {} true"
    search = """
        SELECT issue_pk, title, ts_rank(search_vector, to_tsquery('ims.words', %(word)s)) AS rank
        FROM ims.issues
        WHERE search_vector @@ (format('''owner %%s''', %(user_id)s::integer)::tsquery
                                && to_tsquery('ims.words', %(word)s))
          AND user_id = %(user_id)s ORDER BY rank DESC LIMIT 50
    """
    found = "SELECT * FROM ims.search_issues(%(word)s, NULL, 50)"
    return {
        "identity": TAKING,
        "newest_50": (ask(newest.format(mine)), ask(newest.format(""))),
        "one_issue": (ask(single.format(mine)), ask(single.format(""))),
        "count": (ask(count.format(mine)), ask(count.format(""))),
        "text_search": (ask(search), ask(found)),
        "upsert_500": (upsert, upsert),
    }


def _side_by_side(
    superuser: psycopg.Connection,
    application: psycopg.Connection,
    works: tuple[Work, Work],
    users: int,
    rounds: int,
) -> dict[str, float]:
    times: tuple[list[float], list[float]] = ([], [])
    chance = random.Random(13)  # noqa: S311 - no secret
    for turn in range(rounds):
        user_id, word = 2 + chance.randrange(users), f"word{int(WORDS ** chance.uniform(0.4, 0.9))}"
        for way in (0, 1) if turn % 2 else (1, 0):
            connection = application if way else superuser
            with connection.transaction():
                if way and works != TAKING:
                    connection.execute("SELECT ims.set_current_user(%s)", (user_id,))
                started = time.perf_counter()
                works[way](connection, user_id, word)
                times[way].append((time.perf_counter() - started) * 1000)
    without, having = statistics.median(times[0]), statistics.median(times[1])
    return {"without": round(without, 3), "with": round(having, 3), "ratio": round(having / without, 2)}


def _scans(superuser: psycopg.Connection, users: int) -> bool:
    """Whether any search of a user goes through the whole table."""
    plans: list[str] = []
    superuser.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
    for setting in (
        "LOAD 'auto_explain'",
        "SET auto_explain.log_min_duration = 0",
        "SET auto_explain.log_nested_statements = on",
        "SET client_min_messages = log",
    ):
        superuser.execute(setting.encode())
    for user_id in range(2, 2 + users):
        with superuser.transaction():
            superuser.execute("SELECT ims.set_current_user(%s)", (user_id,))
            superuser.execute("SELECT * FROM ims.search_issues('word1 word9', NULL, 50)")
    if not any("issues_search_vector_idx" in plan for plan in plans):
        raise RuntimeError("no plan was seen")
    return any("Seq Scan on issues" in plan for plan in plans)


@contextmanager
def _filled(issues: int, users: int) -> Iterator[tuple[psycopg.Connection, psycopg.Connection, float]]:
    """The superuser's and the application's connection to a database full of issues, and the time it took."""
    with (
        tempfile.TemporaryDirectory() as home,
        EmbeddedServer(Path(home)) as address,
    ):
        ensure_database(address.superuser_url(), "bench")
        url = address.superuser_url("bench")
        login = initialise(url, first_admin="root")
        with (
            psycopg.connect(conninfo(url), autocommit=True) as superuser,
            psycopg.connect(conninfo(login.url), autocommit=True) as application,
        ):
            started = time.monotonic()
            _fill(superuser, issues, users)
            yield superuser, application, time.monotonic() - started


def _fill(superuser: psycopg.Connection, issues: int, users: int) -> None:
    superuser.execute("SET ims.bulk = 'on'")
    superuser.execute("SET synchronous_commit = off")
    superuser.execute("SET maintenance_work_mem = '512MB'")
    superuser.execute(
        "INSERT INTO ims.users (username) SELECT 'user ' || n FROM generate_series(1, %s::integer) AS n",
        (users,),
    )
    row = superuser.execute("SELECT pg_get_indexdef('ims.issues_search_vector_idx'::regclass)").fetchone()
    superuser.execute("DROP INDEX ims.issues_search_vector_idx")  # made afterwards, which is much faster
    step = 20_000
    for first in range(0, issues, step):
        values = {"first": first, "last": min(first + step, issues) - 1, "users": users, "words": WORDS}
        superuser.execute(FILL.encode(), values)
    superuser.execute(row[0].encode() if row else b"")
    superuser.execute("VACUUM ANALYZE ims.issues")
    superuser.execute("CHECKPOINT")
    superuser.execute("RESET synchronous_commit")


if __name__ == "__main__":
    main()

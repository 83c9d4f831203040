"""Finding what attached files say: how fast beside finding what descriptions say, and what it takes to keep.

Each of some users has as many issues as files, a file of a few kilobytes each: a log of lines that many files
share, with words planted in one of a hundred, a thousand or ten thousand, and others in as many descriptions.
The latter are looked for with files and without. Everything on the embedded server.

Run as ``python -m bench.file_search [--files N] [--users N] [--questions N]``.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from bench import conninfo
from db.embedded import EmbeddedServer
from db.setup.bootstrap import initialise

ROWS = 20  # hits asked for, as many as the shell shows
SAMPLES = 500  # logs that differ
LINES = 40
# What one of so many files of each user has in it, and what as many descriptions have.
PLANTED = {
    100: {"quagga": "wombat", "두루미": "너구리", "ZQX-07321": "ZQX-09876"},
    1000: {"okapi": "potoroo", "따오기": "오소리"},
    10_000: {"axolotl": "echidna", "0x8badf00d": "0x8badcafe"},
}
FIELDS = '{"in": ["title", "description", "comments"]}'
_LEVELS = ("INFO", "WARN", "ERROR", "DEBUG")


def logs() -> Iterator[str]:
    """Logs of made-up requests."""
    chance = random.Random(3)  # noqa: S311 - no secret
    words = [f"{chance.choice('bcdfg')}{chance.randrange(20_000):x}" for _ in range(5000)]
    for _ in range(SAMPLES):
        yield "\n".join(
            f"2026-01-05 10:{line:02}:00 {chance.choice(_LEVELS)} [{chance.choice(words)}] "
            f"request {chance.randrange(10**6)} of {' '.join(chance.sample(words, 6))}"
            for line in range(LINES)
        )


def stock(administrator: psycopg.Connection, files: int, users: int) -> dict[str, Any]:
    """Store issues and files; what they take up on disk comes back."""
    administrator.execute(
        "INSERT INTO ims.users (username, role) SELECT 'user' || n, 'user' FROM generate_series(1, %s) AS n",
        (users,),
    )
    administrator.execute("CREATE TEMP TABLE sample (place integer, log text)")
    with administrator.cursor().copy("COPY sample FROM STDIN") as copy:
        for place, log in enumerate(logs()):
            copy.write_row((place, log))
    every, planted, described = zip(
        *((n, *pair) for n, pairs in PLANTED.items() for pair in pairs.items()), strict=True
    )
    values = {
        "files": files,
        "users": users,
        "samples": SAMPLES,
        "every": list(every),
        "places": list(range(len(every))),
        "words": list(planted),
        "described": list(described),
    }
    administrator.execute("SET session_replication_role = replica")  # the vectors are made below, once each
    for statement in _FILL:
        administrator.execute(statement, values)
    administrator.execute("RESET session_replication_role")
    administrator.execute("VACUUM ANALYZE")
    row = administrator.execute(
        "SELECT sum(octet_length(content)), pg_total_relation_size('ims.file_text_parts'), "
        "pg_relation_size('ims.file_text_parts_search_vector_idx') FROM ims.file_text_parts"
    ).fetchone()
    assert row is not None
    return {
        "files": files,
        "users": users,
        "text_bytes": row[0],
        "stored_bytes": row[1],
        "index_bytes": row[2],
    }


_FILL: tuple[LiteralString, ...] = (
    "CREATE TEMP TABLE said AS "
    "SELECT n, user_id, place, string_agg(word, ' ') AS word, string_agg(other, ' ') AS other "
    "FROM generate_series(0, %(files)s - 1) AS n JOIN ims.users ON username = 'user' || (n %% %(users)s + 1) "
    "CROSS JOIN LATERAL (SELECT n / %(users)s %% %(samples)s) AS sampled (place) "
    "LEFT JOIN unnest(%(every)s::integer[], %(places)s::integer[], %(words)s::text[], %(described)s::text[]) "
    "AS planted (every, at, word, other) "
    "ON n / %(users)s %% every = at GROUP BY n, user_id, place",
    "CREATE TEMP TABLE plain AS SELECT user_id, place, "
    "ims.document_vector(user_id, '', NULL, NULL, log) AS vector "
    "FROM (SELECT DISTINCT user_id, place FROM said) AS pairs JOIN sample USING (place)",
    "INSERT INTO ims.issues (user_id, issue_id, title, description, search_vector) "
    "SELECT user_id, n::text, 'Case ' || n, told, "
    "ims.document_vector(user_id, 'Case ' || n, told, NULL, 'server.log') "
    "FROM said CROSS JOIN concat_ws(' ', 'See the log', other) AS told",
    "INSERT INTO ims.attachments "
    "(user_id, issue_pk, source_key, filename, sha256, downloaded, text_extracted) "
    "SELECT user_id, issue_pk, '1', 'server.log', md5(issue_id), true, true FROM ims.issues",
    "INSERT INTO ims.file_texts (user_id, sha256, kind) SELECT user_id, md5(n::text), 'log' FROM said",
    "INSERT INTO ims.file_text_parts (user_id, sha256, content, search_vector) "
    "SELECT user_id, md5(n::text), concat_ws(E'\\n', log, word), CASE WHEN word IS NULL THEN vector "
    "ELSE vector || ims.document_vector(user_id, '', NULL, NULL, word) END "
    "FROM said JOIN sample USING (place) JOIN plain USING (user_id, place)",
)


def ask(app: psycopg.Connection, ids: Sequence[int], questions: int) -> dict[str, Any]:
    """Time questions of random users, in files and in descriptions, after each was asked for once."""
    chance = random.Random(5)  # noqa: S311 - no secret
    terms = [(every, *pair) for every, pairs in PLANTED.items() for pair in pairs.items()]
    warming = [(user_id, *term) for user_id in ids for term in terms]
    asked = [(chance.choice(ids), *chance.choice(terms)) for _ in range(questions)]
    times: dict[tuple[str, str], list[float]] = {}
    for place, (user_id, every, filed, described) in enumerate(warming + asked):
        for what, term, filters in (
            ("in a file", filed, "{}"),
            ("in a description", described, "{}"),
            ("in a description, without files", described, FIELDS),
        ):
            with app.transaction():
                app.execute("SELECT ims.set_current_user(%s)", (user_id,))
                began = time.perf_counter()
                rows = app.execute(
                    "SELECT * FROM ims.search_hits(%s, NULL, %s, %s)", (term, ROWS, filters)
                ).fetchall()
                took = (time.perf_counter() - began) * 1000
            assert rows or every > 1000, f"{term} was planted and not found"
            if place >= len(warming):
                times.setdefault((f"one in {every}", what), []).append(took)
                times.setdefault(("all", what), []).append(took)
    figures: dict[str, Any] = {}
    for (which, what), those in times.items():
        ordered = sorted(those)
        figures.setdefault(which, {})[what] = {
            "median": round(statistics.median(ordered), 2),
            "p99": round(ordered[max(0, round(len(ordered) * 0.99) - 1)], 2),
        }
    return {"questions": questions, "milliseconds": figures}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=20_000, help="of all users together")
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--questions", type=int, default=500)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="file-search-", ignore_cleanup_errors=True) as home,
        EmbeddedServer(Path(home)) as address,
    ):
        admin_url = address.superuser_url()
        login = initialise(admin_url, first_admin="bench")
        with (
            psycopg.connect(conninfo(admin_url), autocommit=True) as administrator,
            psycopg.connect(conninfo(login.url), autocommit=True) as app,
        ):
            result = {"stored": stock(administrator, options.files, options.users)}
            query = "SELECT user_id FROM ims.users WHERE username LIKE 'user%' ORDER BY user_id"
            ids = [row[0] for row in administrator.execute(query)]
            result["speed"] = ask(app, ids, options.questions)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

"""Finding: is it right, is it fast, and what does it cost the load.

Relevance is recall and nDCG at ten over the judged questions, beside PostgreSQL's plain ``english`` and
ILIKE, and recall at five of ``similar`` (:mod:`bench.duplicates`). Speed is over the issues of twenty users,
for terms that a hundredth, a thousandth or a ten thousandth of a user's issues have. Cost is the server's
time for one issue's vector beside the plain ``english`` one of the same texts. All in one run on the embedded
server.

Run as ``python -m bench.search [--issues N] [--users N] [--questions N] [--home FOLDER]``. A million issues
take a few minutes to make; a folder keeps them for the next run, which asks the functions as they are then.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from bench import conninfo, duplicates, relevance
from crawler.sources.ims.standin.phrases import BODIES, COMMENTS, TITLES
from db.embedded import EmbeddedServer
from db.setup.bootstrap import initialise

ROWS = 20  # hits asked for, as many as the shell shows
BATCH = 10_000
# What one of so many issues of each user has in its description, and what is asked for to find it.
PLANTED = {
    100: {"and quaggas ran": "quagga", "두루미를": "두루미", "翡翠の": "翡翠", "ZQX-07321": "7321"},
    1000: {
        "an okapi was seen": "'okapi was'",
        "따오기에서": "따오기",
        "朱鷺が": "朱鷺",
        "getTapirCount": "tapir",
    },
    10_000: {"axolotls": "+axolotl", "뜸부기의": "뜸부기", "鷺草を": "'鷺草を'", "0x8badf00d": "0x8badf00d"},
}


def stock(administrator: psycopg.Connection, issues: int, users: int) -> dict[str, Any]:
    """Store the issues of all users, through the function that makes every vector; return what that took."""
    administrator.execute(
        "INSERT INTO ims.users (username, role) SELECT 'user' || n, 'user' FROM generate_series(1, %s) AS n",
        (users,),
    )
    administrator.execute("CREATE TEMP TABLE sample (place integer, title text, body text, comments text)")
    chance = random.Random(11)  # noqa: S311 - no secret
    with administrator.cursor().copy("COPY sample FROM STDIN") as copy:
        for place in range(1000):
            noise = " ".join(f"{chance.choice('bcdfg')}{chance.randrange(50_000):x}" for _ in range(20))
            comments = "\n".join(chance.sample(COMMENTS, 2))
            copy.write_row((place, chance.choice(TITLES), f"{chance.choice(BODIES)}\n{noise}", comments))
    listed = [(every, place, words) for every, terms in PLANTED.items() for place, words in enumerate(terms)]
    every, places, words = (list(column) for column in zip(*listed, strict=True))
    planted = {"every": every, "places": places, "words": words}
    began = time.perf_counter()
    # A text that many issues share is split into words once, and the index is made when all are there.
    definition = administrator.execute(
        "SELECT pg_get_indexdef('ims.issues_search_vector_idx'::regclass)"
    ).fetchone()
    assert definition is not None
    administrator.execute("DROP INDEX ims.issues_search_vector_idx")
    administrator.execute(_PLAIN, {"users": users})
    for start in range(0, issues, BATCH):
        with administrator.transaction():
            administrator.execute("SET LOCAL ims.bulk = 'on'")
            administrator.execute(
                _FILL, {**planted, "start": start, "stop": min(start + BATCH, issues), "users": users}
            )
        if start % 100_000 == 0:
            print(f"{start} stored", file=sys.stderr)
    administrator.execute("SET maintenance_work_mem = '1GB'")
    administrator.execute(definition[0].encode())
    seconds = time.perf_counter() - began
    administrator.execute("VACUUM ANALYZE ims.issues")
    size = administrator.execute(
        "SELECT pg_relation_size('ims.issues_search_vector_idx'), sum(pg_column_size(search_vector)), "
        "sum(octet_length(title || description)) FROM ims.issues"
    ).fetchone()
    assert size is not None
    return {
        "issues": issues,
        "users": users,
        "seconds": round(seconds, 1),
        "index_bytes_an_issue": round(size[0] / issues),
        "vector_bytes_an_issue": round(size[1] / issues),
        "text_bytes_an_issue": round(size[2] / issues),
    }


_PLAIN: LiteralString = """
CREATE TEMP TABLE plain AS
SELECT user_id, place, ims.document_vector(user_id, title, body || E'\\n' || comments, NULL, NULL) AS vector
FROM (SELECT DISTINCT n %% %(users)s + 1 AS whose, n %% 1000 * 7919 %% 1000 AS place
      FROM generate_series(0, 1000 * %(users)s - 1) AS n) AS made
JOIN ims.users ON username = 'user' || whose
JOIN sample USING (place)
"""
_FILL: LiteralString = """
INSERT INTO ims.issues (user_id, issue_id, title, description, status, state, product, module,
    registered_date, modified_date, search_vector)
SELECT user_id, n::text, title, told, (ARRAY['Closed', 'Closed', 'Assigned'])[1 + n %% 3],
       (ARRAY['done', 'done', 'in_progress'])[1 + n %% 3], 'Product ' || n %% 13, 'module ' || n %% 29,
       now() - n * interval '1 minute', timestamptz '2024-01-01' + n * interval '1 minute',
       CASE WHEN words IS NULL THEN vector ELSE ims.document_vector(user_id, title, told, NULL, NULL) END
FROM generate_series(%(start)s::integer, %(stop)s::integer - 1) AS n
JOIN sample ON place = n %% 1000 * 7919 %% 1000
JOIN ims.users ON username = 'user' || (n %% %(users)s + 1)
JOIN plain USING (user_id, place)
CROSS JOIN LATERAL (
    SELECT string_agg(words, ' '), concat_ws(' ', body || E'\\n' || comments, string_agg(words, ' '))
    FROM unnest(%(every)s::integer[], %(places)s::integer[], %(words)s::text[]) AS planted (every, at, words)
    WHERE n / %(users)s %% every = at
) AS made (words, told)
"""


def ask(app: psycopg.Connection, ids: Sequence[int], questions: int) -> dict[str, Any]:
    """Time questions of random users, after each user and term was asked for once."""
    chance = random.Random(5)  # noqa: S311 - no secret
    times: dict[int, list[float]] = {every: [] for every in PLANTED}
    worked: dict[int, list[float]] = {every: [] for every in PLANTED}
    pid = app.info.backend_pid
    terms = [(every, term) for every, planted in PLANTED.items() for term in planted.values()]
    warming = [(user_id, every, term) for user_id in ids for every, term in terms]
    asked = [(chance.choice(ids), *chance.choice(terms)) for _ in range(questions)]
    for place, (user_id, every, term) in enumerate(warming + asked):
        with app.transaction():
            app.execute("SELECT ims.set_current_user(%s)", (user_id,))
            before, began = cpu(pid), time.perf_counter()
            rows = app.execute("SELECT * FROM ims.search_issues(%s, NULL, %s)", (term, ROWS)).fetchall()
            took, processor = (time.perf_counter() - began) * 1000, cpu(pid) - before
        if place >= len(warming):
            times[every].append(took)
            worked[every].append(processor)
        assert rows or every > 1000, f"{term} was planted and not found"
    return {
        "questions": questions,
        **{
            name: {
                **{f"one in {every}": _figures(those) for every, those in measured.items()},
                "all": _figures([one for those in measured.values() for one in those]),
            }
            for name, measured in {"milliseconds": times, "server_cpu_milliseconds": worked}.items()
        },
    }


def _figures(times: Sequence[float]) -> Mapping[str, float]:
    ordered = sorted(times)
    return {
        "median": round(statistics.median(ordered), 2),
        "p99": round(ordered[max(0, round(len(ordered) * 0.99) - 1)], 2),
    }


def cost(administrator: psycopg.Connection) -> dict[str, Any]:
    """Milliseconds of the server's processor for an issue's vector, ours and the plain one."""
    texts = BODIES + COMMENTS
    korean = "".join(filter(_is_korean, texts))
    english = "".join(filter(str.isascii, texts))
    made = {
        "ims": "ims.document_vector(1, t, d, c, NULL)",
        "english": "setweight(to_tsvector('english', t), 'A') || "
        "setweight(to_tsvector('english', d), 'B') || setweight(to_tsvector('english', c), 'C')",
    }
    pid = administrator.info.backend_pid
    result = {}
    for name, sample in {"english": english, "korean": korean}.items():
        text = _of_size(sample, 2600)
        best: dict[str, float] = {}
        for _ in range(5):
            for rival, vector in made.items():
                before = cpu(pid)
                half = len(text) // 2
                administrator.execute(
                    f"SELECT count({vector}) {_SOURCE}".encode(),
                    (text[:60], text[60:half], text[half:]),
                )
                took = (cpu(pid) - before) / 200
                best[rival] = min(best.get(rival, took), took)
        result[name] = {rival: round(milliseconds, 3) for rival, milliseconds in best.items()}
    return result


_SOURCE = (
    "FROM (SELECT %s::text || n, %s::text || n, %s::text || n FROM generate_series(1, 200) AS n) "
    "AS source (t, d, c)"
)


def _is_korean(text: str) -> bool:
    return sum("가" <= letter <= "힣" for letter in text) > len(text) / 5


def _of_size(text: str, size: int) -> str:
    """The text, repeated where it is shorter, in so many bytes of UTF-8."""
    raw = text.encode()
    return (raw * (size // len(raw) + 1))[:size].decode(errors="ignore")


def cpu(pid: int) -> float:
    """Milliseconds that a process of the server ran so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def run(admin_url: str, app_url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure on a database that was just set up."""
    with (
        psycopg.connect(conninfo(admin_url), autocommit=True) as administrator,
        psycopg.connect(conninfo(app_url), autocommit=True) as app,
    ):
        administrator.execute("SET jit = off")
        query = "SELECT user_id FROM ims.users WHERE username LIKE 'user%' ORDER BY user_id"
        ids = [row[0] for row in administrator.execute(query)]
        result: dict[str, Any] = {}
        if not ids:
            with app.transaction(force_rollback=True):
                app.execute("SELECT ims.set_current_user(1)")
                relevance.store(app)
                found = relevance.report(relevance.searches(app))
                alike = duplicates.report(app)
            result = {"relevance": found, "similar": alike, "vector_cpu_milliseconds": cost(administrator)}
            if options.issues:
                result["stored"] = stock(administrator, options.issues, options.users)
            ids = [row[0] for row in administrator.execute(query)]
        if ids:
            result["speed"] = ask(app, ids, options.questions)
    return result


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--issues", type=int, default=20_000, help="of all users together; 0: no speed")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument("--home", type=Path, help="a folder to keep what was stored in, for further runs")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="search-bench-", ignore_cleanup_errors=True) as short_lived,
        EmbeddedServer(options.home or Path(short_lived)) as address,
    ):
        admin_url = address.superuser_url()
        login = initialise(admin_url, app_password="bench", first_admin="bench")  # noqa: S106 - our own server
        print(json.dumps(run(admin_url, login.url, options), indent=2))


if __name__ == "__main__":
    main()

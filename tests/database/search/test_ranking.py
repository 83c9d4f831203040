"""What a search puts first, against its definition worked out slowly for every issue."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.database import Server, on_every_server
from tests.fixtures.schema import ALICE, BOB, Database, fresh_database

pytestmark = pytest.mark.xdist_group("search")

ENGLISH = [
    "crash",
    "crashes",
    "crashed",
    "getCrashCount",
    "SVC99",
    "7321",
    "ORA-07321",
    "query",
    "queries",
    "the",
]
ASIAN = ["검색을", "검색", "전문검색", "두루미를", "翡翠の", "翡翠"]
WORDS = ENGLISH + ASIAN
ASKED = ["crash", "Crashing", "svc", "7321", "검색", "두루미", "두루", "翡翠", "query", "the", "absent"]
FIELDS = {"A": 0.8, "B": 0.4, "C": 0.2, "D": 0.1}
FORMS = {"exact": 1.0, "near": 0.9, "part": 0.45}
# Every issue, and of each term of a question how it is in each field.
LOOKED_AT = """
SELECT issue.issue_id, issue.search_vector @@ ims.search_query(%(query)s), modified_date, issue_pk,
       array_agg(ARRAY[place::text, form, field] ORDER BY place, field, form)
           FILTER (WHERE issue.search_vector @@ replace(words, E'\\u0001', field)::tsquery)
FROM ims.issues issue
LEFT JOIN (
    SELECT place, form, words
    FROM (SELECT min(place) AS place, coalesce(number, term) AS term, phrase
          FROM ims.query_clauses(%(query)s) WITH ORDINALITY AS clauses (sign, term, number, phrase, place)
          WHERE sign <> '-' GROUP BY 2, 3) AS clauses
    CROSS JOIN LATERAL ims.term_query(term, phrase) AS query
    CROSS JOIN LATERAL (VALUES ('exact', exact), ('near', near), ('part', part)) AS forms (form, words)
    WHERE exact IS NOT NULL
) AS asked ON true
LEFT JOIN unnest('{A,B,C,D}'::text[]) AS field ON true
WHERE user_id = %(owner)s
GROUP BY issue.issue_pk
"""
PLACES = """
SELECT array_agg(DISTINCT place::text)
FROM (SELECT min(place) AS place, coalesce(number, term) AS term, phrase
      FROM ims.query_clauses(%s) WITH ORDINALITY AS clauses (sign, term, number, phrase, place)
      WHERE sign <> '-' GROUP BY 2, 3) AS clauses
CROSS JOIN LATERAL ims.term_query(term, phrase)
WHERE exact IS NOT NULL
"""


@pytest.fixture(scope="module")
def library(server: Server, template: str) -> Iterator[Database]:
    """Two users' issues, which say the same few words in one field or another."""
    chance = Random(5)  # noqa: S311 - no secret
    with fresh_database(server, template) as database, database.superuser() as connection:
        for number in range(160):
            row = connection.execute(
                "INSERT INTO ims.issues (user_id, issue_id, title, description, modified_date) "
                "VALUES (%s, %s, %s, %s, %s) RETURNING issue_pk, user_id",
                (
                    BOB if number % 8 == 0 else ALICE,
                    f"K-{number}",
                    _said(chance, 2),
                    _said(chance, 3),
                    datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number % 5),
                ),
            ).fetchone()
            connection.execute(
                "INSERT INTO ims.issue_comments (issue_pk, user_id, content) VALUES (%s, %s, %s)",
                (*(row or ()), _said(chance, 3)),
            )
        yield database


def _said(chance: Random, most: int) -> str:
    return " ".join(chance.sample([*WORDS, *["nothing"] * 8], chance.randrange(most + 1)))


CLAUSES = st.builds(
    lambda sign, words, quoted: f"{sign}'{' '.join(words)}'" if quoted else sign + words[0],
    st.sampled_from(["", "", "+", "-"]),
    st.lists(st.sampled_from(ASKED + WORDS), min_size=1, max_size=2),
    st.booleans(),
)


@on_every_server
@given(
    query=st.lists(CLAUSES, min_size=1, max_size=3).map(" ".join),
    rows=st.sampled_from([1, 5, 1000]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_best_are_those_of_the_definition(library: Database, query: str, rows: int) -> None:
    with library.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        told = connection.execute(
            "SELECT issue_id, rank FROM ims.search_issues(%s, NULL, %s)", (query, rows)
        ).fetchall()
    with library.superuser() as connection:
        right = _by_definition(connection, query)
    assert len(told) == min(rows, len(right))
    assert [rank for _, rank in told] == pytest.approx([score for score, *_ in right[:rows]], abs=1e-6)
    ranks = dict(told)
    assert all(ranks[issue] == pytest.approx(score, abs=1e-6) for score, *_, issue in right if issue in ranks)
    if len({round(score, 5) for score, *_ in right}) == len({score for score, *_ in right}):
        assert [issue for issue, _ in told] == [issue for *_, issue in right[:rows]]


def _by_definition(connection: psycopg.Connection, query: str) -> list[tuple[float, datetime, int, str]]:
    """Score, time of change, key and number of each issue that answers, the best first."""
    listed = connection.execute(PLACES, (query,)).fetchone()
    places = sorted(listed[0]) if listed and listed[0] else []
    hits = [row for row in connection.execute(LOOKED_AT, {"query": query, "owner": ALICE}) if row[1]]
    grades = [
        [_grade({(form, field) for at, form, field in seen or [] if at == place}) for place in places]
        for *_, seen in hits
    ]
    rare = [1.0] * len(places)
    if len(places) > 1:
        found = [sum(one[place] > 0 for one in grades) for place in range(len(places))]
        rare = [math.log(1 + len(hits) / (1 + number)) for number in found]
    scored = [(_score(one, rare), hit[2], hit[3], hit[0]) for one, hit in zip(grades, hits, strict=True)]
    return sorted(scored, reverse=True)


def _grade(seen: set[tuple[str, str]]) -> float:
    misses = 1.0
    for field, worth in FIELDS.items():
        form = next((form for form in FORMS if (form, field) in seen), None)
        if form:
            misses = _single(misses * (1 - _single(worth) * FORMS[form]))
    return _single(1 - misses)


def _score(grades: list[float], rare: list[float]) -> float:
    if not grades:
        return 0.0
    met = sum(weight for grade, weight in zip(grades, rare, strict=True) if grade > 0)
    if len(grades) == 1 or not met:
        met = 1.0
    weighed = sum(grade * weight for grade, weight in zip(grades, rare, strict=True))
    return _single((0.5 if all(grades) else 0.0) + 0.4 * weighed / sum(rare) + 0.09 * met / sum(rare))


def _single(number: float) -> float:
    """The number in single precision."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def test_an_excerpt_reads_the_comments_of_its_own_issue_alone(library: Database) -> None:
    with library.superuser() as connection, connection.transaction(force_rollback=True):
        row = connection.execute(
            "INSERT INTO ims.issues (user_id, issue_id, title) "
            "VALUES (%s, 'K-own', 'nothing') RETURNING issue_pk",
            (ALICE,),
        ).fetchone()
        connection.execute(
            "INSERT INTO ims.issue_comments (issue_pk, user_id, content) VALUES (%s, %s, 'a lone giraffe')",
            (*(row or ()), ALICE),
        )
        read = "SELECT pg_stat_get_xact_tuples_returned('ims.issue_comments'::regclass)"
        before = connection.execute(read).fetchone()
        shown = connection.execute(
            "SELECT found_in, snippet "
            "FROM ims_private.snippet(%s, %s, 'nothing', NULL, 'ABCD', NULL, 'giraffe', 'giraffe')",
            (ALICE, *(row or ())),
        ).fetchone()
        after = connection.execute(read).fetchone()
    assert shown == ("comment 1", "a lone <mark>giraffe</mark>")
    assert before is not None
    assert after is not None
    assert after[0] - before[0] <= 2

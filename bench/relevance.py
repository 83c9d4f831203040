"""Whether a search finds what should be found: judged questions, the issues they are about, and two rivals.

The issues are those written for the stand-in and, where the checkout's neighbour ``shared/data`` has them,
public ones of a Jira. The questions and their answers are in ``judgements.toml`` of
``tests/database/search/relevance``; ``variants.toml`` has texts that are written as they are asked for (2)
and otherwise (1), an issue each.
"""

from __future__ import annotations

import gzip
import json
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import LiteralString

import psycopg

from crawler.sources.ims.standin.content import written_issues

ROOT = Path(__file__).parent.parent
JUDGEMENTS = ROOT / "tests" / "database" / "search" / "relevance" / "judgements.toml"
VARIANTS = JUDGEMENTS.with_name("variants.toml")
PUBLIC = ROOT.parent / "shared" / "data" / "jira-issues.jsonl.gz"
DEPTH = 10

# A question's best answers, by their issues' keys; asked of one collection, which is stored as a product.
Search = Callable[[str, str], Sequence[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """An issue's texts."""

    collection: str
    key: str
    title: str
    description: str
    comments: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question of a kind, mostly a language, and its answers: 2 what was meant, 1 what also helps."""

    kind: str
    text: str
    answers: Mapping[str, int]

    @property
    def collection(self) -> str:
        """The issues that were judged."""
        if self.kind in _variants():
            return "variants"
        return "public" if self.kind == "public" else "written"


@cache
def questions() -> Sequence[Question]:
    """All questions whose issues are at hand."""
    document = tomllib.loads(JUDGEMENTS.read_text("utf-8"))
    return [
        Question(kind=kind, text=text, answers=answers)
        for kind, asked in document.items()
        if kind != "public" or PUBLIC.exists()
        for text, answers in asked.items()
    ] + [
        Question(kind=kind, text=text, answers={f"{text}/exact": 2, f"{text}/variant": 1})
        for kind, asked in _variants().items()
        for text in asked
    ]


@cache
def _variants() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(VARIANTS.read_text("utf-8"))


def documents() -> Iterator[Document]:
    """All issues."""
    for issue in written_issues():
        yield Document(
            collection="written",
            key=str(issue.number),
            title=issue.title,
            description=issue.description or issue.description_html or "",
            comments=[action.text or action.html or "" for action in issue.actions],
        )
    for cases in _variants().values():
        for question, texts in cases.items():
            for form, text in zip(("exact", "variant"), texts, strict=True):
                yield Document(
                    collection="variants", key=f"{question}/{form}", title="", description=text, comments=()
                )
    if PUBLIC.exists():
        with gzip.open(PUBLIC, "rt", encoding="utf-8") as lines:
            for line in lines:
                issue = json.loads(line)
                fields = issue["fields"]
                comments = (fields.get("comment") or {}).get("comments", [])
                yield Document(
                    collection="public",
                    key=issue["key"],
                    title=fields.get("summary") or "",
                    description=fields.get("description") or "",
                    comments=[comment.get("body") or "" for comment in comments],
                )


def store(connection: psycopg.Connection) -> None:
    """Store all issues, as whoever the connection acts for, and in a plain table for the rivals."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE plain (collection text, key text, title text, body text, english tsvector)"
        )
        for one in documents():
            cursor.execute(
                "INSERT INTO ims.issues (product, issue_id, title, description) "
                "VALUES (%s, %s, %s, %s) RETURNING issue_pk",
                (one.collection, one.key, one.title, one.description),
            )
            row = cursor.fetchone()
            assert row is not None
            cursor.executemany(
                "INSERT INTO ims.issue_comments (issue_pk, content) VALUES (%s, %s)",
                [(row[0], comment) for comment in one.comments],
            )
            cursor.execute(
                "INSERT INTO plain VALUES (%s, %s, %s, %s, setweight(to_tsvector('english', %s), 'A') || "
                "setweight(to_tsvector('english', %s), 'B') || setweight(to_tsvector('english', %s), 'C'))",
                (
                    one.collection,
                    one.key,
                    one.title,
                    "\n".join((one.description, *one.comments)),
                    one.title,
                    one.description,
                    "\n".join(one.comments),
                ),
            )


def searches(connection: psycopg.Connection) -> dict[str, Search]:
    """The search and its rivals by name; the same terms, required and excluded ones, for each."""

    def asking(query: LiteralString) -> Search:
        def search(text: str, collection: str) -> Sequence[str]:
            values = {"text": text, "collection": collection, "depth": DEPTH}
            return [row[0] for row in connection.execute(query, values)]

        return search

    return {
        "ims": asking("SELECT issue_id FROM ims.search_issues(%(text)s, %(collection)s, %(depth)s)"),
        "english": asking(_ENGLISH),
        "ilike": asking(_ILIKE),
    }


_ENGLISH: LiteralString = """
WITH clause AS (
    SELECT sign, phraseto_tsquery('english', term) AS words FROM ims.query_clauses(%(text)s)
), told AS (
    SELECT sign, string_agg(words::text, CASE sign WHEN '+' THEN ' & ' ELSE ' | ' END)::tsquery AS words
    FROM clause WHERE numnode(words) > 0 GROUP BY sign
), query AS (
    SELECT coalesce((SELECT words FROM told WHERE sign = '+'),
                    (SELECT words FROM told WHERE sign = '')) AS wanted,
           (SELECT words FROM told WHERE sign = '-') AS unwanted
)
SELECT key FROM plain, query
WHERE collection = %(collection)s AND english @@ wanted AND (english @@ unwanted) IS NOT TRUE
ORDER BY ts_rank(english, wanted) DESC, key DESC LIMIT %(depth)s
"""
_ILIKE: LiteralString = """
WITH clause AS (
    SELECT sign, '%%' || replace(replace(term, '_', '\\_'), '%%', '\\%%') || '%%' AS pattern
    FROM ims.query_clauses(%(text)s)
), met AS (
    SELECT key, sign, title ILIKE pattern AS in_title, body ILIKE pattern AS in_body
    FROM plain, clause WHERE collection = %(collection)s
), hit AS (
    SELECT key, sum(2 * in_title::integer + in_body::integer) FILTER (WHERE sign <> '-') AS score,
           bool_and(in_title OR in_body) FILTER (WHERE sign = '+') AS has_all,
           bool_or(in_title OR in_body) FILTER (WHERE sign = '-') AS has_unwanted
    FROM met GROUP BY key
)
SELECT key FROM hit
WHERE score > 0 AND has_all IS NOT FALSE AND has_unwanted IS NOT TRUE
ORDER BY score DESC, key DESC LIMIT %(depth)s
"""


def report(found: Mapping[str, Search]) -> dict[str, dict[str, dict[str, float]]]:
    """Recall and nDCG at ten of each search, for each kind of question and for all."""
    kinds = list(dict.fromkeys(one.kind for one in questions()))
    result = {}
    for name, search in found.items():
        scores = [(one.kind, *_scores(one, search(one.text, one.collection))) for one in questions()]
        result[name] = {
            kind: {
                "questions": len(those := [score for score in scores if kind in (score[0], "all")]),
                "recall": round(fmean(score[1] for score in those), 3),
                "ndcg": round(fmean(score[2] for score in those), 3),
            }
            for kind in (*kinds, "all")
        }
    return result


def _scores(question: Question, found: Sequence[str]) -> tuple[float, float]:
    meant = set(question.answers)
    gains = [question.answers.get(key, 0) for key in found[:DEPTH]]
    best = sorted(question.answers.values(), reverse=True)[:DEPTH]
    return len(meant & set(found[:DEPTH])) / min(len(meant), DEPTH), _gain(gains) / _gain(best)


def _gain(grades: Sequence[int]) -> float:
    return sum(((1 << grade) - 1) / math.log2(place + 2) for place, grade in enumerate(grades))

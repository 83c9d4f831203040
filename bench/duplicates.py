"""Whether ``similar`` finds what somebody else called a duplicate.

Of the public issues of a Jira, those that its people linked: *Duplicate* (few), and *Relates*, which is more
than a duplicate. And a generated collection: some bugs, each reported three times in three languages, with
one stack and a prose that any other report may have as well. It proves that stacks are told apart and count
more than prose, and nothing about how people write.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import psycopg

from bench.relevance import PUBLIC
from crawler.sources.ims.standin.phrases import BODIES, COMMENTS, TITLES

DEPTH = 5
BUGS = 100
_LINKS = ("Duplicate", "Relates")


def report(connection: psycopg.Connection) -> dict[str, Any]:
    """Recall at five by each sort of link, for whom the connection acts; the public issues are stored."""
    result = {"stacks (generated)": _recall(connection, _store_generated(connection))}
    if PUBLIC.exists():
        query = "SELECT issue_id, issue_pk FROM ims.issues WHERE product = 'public'"
        keys: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        for sort in _LINKS:
            alike: dict[int, set[int]] = {}
            for one, other in _links(sort):
                if one in keys and other in keys:
                    alike.setdefault(keys[one], set()).add(keys[other])
                    alike.setdefault(keys[other], set()).add(keys[one])
            result[f"{sort} (Jira)"] = _recall(connection, alike)
    return result


def _recall(connection: psycopg.Connection, alike: Mapping[int, set[int]]) -> dict[str, float]:
    query = "SELECT issue_pk FROM ims.similar_issues(%s, %s) ORDER BY score DESC"
    recalls, firsts = [], []
    for issue, others in alike.items():
        found = [row[0] for row in connection.execute(query, (issue, DEPTH))]
        recalls.append(len(others.intersection(found)) / min(len(others), DEPTH))
        firsts.append(bool(found) and found[0] in others)
    return {"issues": len(alike), "recall": round(fmean(recalls), 3), "first": round(fmean(firsts), 3)}


def _links(sort: str) -> Iterator[Sequence[str]]:
    with gzip.open(PUBLIC, "rt", encoding="utf-8") as lines:
        for line in lines:
            issue = json.loads(line)
            for link in issue["fields"].get("issuelinks") or []:
                if link["type"]["name"] == sort:
                    yield issue["key"], (link.get("outwardIssue") or link["inwardIssue"])["key"]


def _store_generated(connection: psycopg.Connection) -> dict[int, set[int]]:
    """Store three reports of each bug; tell which are of one."""
    chance = random.Random(3)  # noqa: S311 - no secret
    classes = [
        f"{one}{two}" for one in ("Order", "User", "Pool", "Index", "Cache") for two in ("Dao", "Task", "Job")
    ]
    methods = ["find", "load", "close", "apply", "merge", "flush", "borrow", "read"]
    below = ["javax.servlet.http.HttpServlet.service", "java.lang.Thread.run"]
    alike: dict[int, set[int]] = {}
    for bug in range(BUGS):
        stack = [f"com.example.{chance.choice(classes)}.{chance.choice(methods)}" for _ in range(4)] + below
        reports = []
        for language in range(3):
            trace = "\n".join(f"\tat {frame}(X.java:{chance.randrange(900)})" for frame in stack)
            prose = chance.choice(BODIES if language else COMMENTS)
            row = connection.execute(
                "INSERT INTO ims.issues (product, issue_id, title, description) "
                "VALUES ('stacks', %s, %s, %s) RETURNING issue_pk",
                (f"stack-{bug}-{language}", chance.choice(TITLES), f"{prose}\nError\n{trace}\n"),
            ).fetchone()
            assert row is not None
            reports.append(row[0])
        alike.update({one: set(reports) - {one} for one in reports})
    return alike

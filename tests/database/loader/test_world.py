"""Whatever a tracker does between crawls, the database is what a plain model of it says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db.loader import load_batch
from db.rows import ChangeRow, CommentRow, IssueRow, RelationRow
from tests.fixtures.database import libpq_url
from tests.fixtures.schema import ALICE, Database

words = st.sampled_from(["a", "b", "c", "한글", "\0", "x\ud800"])
STORED = str.maketrans({"\0": "␀", "\ud800": "\ufffd"})
changes = st.builds(
    ChangeRow, field_name=st.sampled_from(["status", "other"]), new_value=st.sampled_from(["a", "b"])
)
issues = st.builds(
    IssueRow,
    issue_id=st.sampled_from(["1", "2", "3"]),
    title=words,
    status=st.none() | words,
    comments=st.lists(
        st.builds(CommentRow, source_id=st.sampled_from(["1", "2"]), content=words),
        unique_by=lambda comment: comment.source_id,
        max_size=2,
    ).map(tuple),
    history=st.lists(changes, max_size=3).map(tuple),
    relations=st.lists(
        st.builds(RelationRow, related_issue_id=st.sampled_from(["8", "9"])),
        unique_by=lambda relation: relation.related_issue_id,
        max_size=2,
    ).map(tuple),
)
crawl = st.lists(issues, unique_by=lambda issue: issue.issue_id, max_size=3)


@dataclass
class Model:
    """One issue as it should be stored."""

    seen: IssueRow | None = None
    writes: int = 0
    comments: dict[str, tuple[str, bool]] = field(default_factory=dict)  # id: text, still there
    history: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    relations: dict[str, bool] = field(default_factory=dict)
    observed: Counter[tuple[str, str | None, str | None]] = field(default_factory=Counter)

    def see(self, issue: IssueRow) -> str:
        if issue == self.seen:
            return "unchanged"
        fresh = Counter((change.field_name, change.new_value) for change in issue.history)
        if self.seen is not None:
            self._observe(self.seen, issue, fresh - self.history)
        for number in self.comments:
            self.comments[number] = (self.comments[number][0], False)
        for comment in issue.comments:
            assert comment.source_id is not None
            text = comment.content.translate(STORED)
            former = self.comments.get(comment.source_id, (text, True))[0]
            if former != text:
                self.observed[f"comment id:{comment.source_id}", former, text] += 1
            self.comments[comment.source_id] = (text, True)
        self.history |= fresh
        self.relations = dict.fromkeys(self.relations, False)
        self.relations |= {relation.related_issue_id: True for relation in issue.relations}
        outcome = "new" if self.seen is None else "changed"
        self.seen = issue
        self.writes += 1
        return outcome

    def _observe(self, old: IssueRow, new: IssueRow, fresh: Counter[tuple[str | None, str | None]]) -> None:
        for name in ("title", "status"):
            before, after = (_stored(getattr(issue, name)) for issue in (old, new))
            told = any(value == after and field_name in (name, "other") for field_name, value in fresh)
            if before != after and not told:
                self.observed[name, before, after] += 1


def _stored(text: str | None) -> str | None:
    return None if text is None else text.translate(STORED)


@dataclass
class World:
    """A user's stored issues, one tracker an example."""

    runner: asyncio.Runner
    connection: psycopg.AsyncConnection
    trackers: Iterator[int] = field(default_factory=lambda: count(1))

    def run(self, work: Any) -> Any:
        async def transaction() -> Any:
            async with self.connection.transaction():
                await self.connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
                return await work(self.connection)

        return self.runner.run(transaction())

    def new_tracker(self) -> int:
        insert = (
            "INSERT INTO ims.trackers (name, kind, base_url) VALUES (%s, 'ims', 'x') RETURNING tracker_id"
        )
        return int(self.query(insert, str(next(self.trackers)))[0][0])

    def query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        async def ask(connection: psycopg.AsyncConnection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(query.encode(), values)).fetchall()

        return list(self.run(ask))

    def load(self, tracker_id: int, rows: list[IssueRow]) -> dict[str, str]:
        async def load(connection: psycopg.AsyncConnection) -> dict[str, str]:
            result = await load_batch(
                connection, user_id=ALICE, tracker_id=tracker_id, session_id=None, rows=rows
            )
            return dict(result.outcomes)

        return dict(self.run(load))

    def stored(self, tracker_id: int) -> dict[str, Any]:
        """What is in the database, in the model's words."""
        mine = "FROM ims.issues i JOIN ims.{} c USING (issue_pk) WHERE i.tracker_id = %s"
        return {
            "issues": self.query(
                "SELECT issue_id, title, status, crawl_count FROM ims.issues"
                " WHERE tracker_id = %s ORDER BY 1",
                tracker_id,
            ),
            "comments": self.query(
                "SELECT issue_id, source_key, content, c.removed_at IS NULL "
                + mine.format("issue_comments")
                + " ORDER BY 1, 2",
                tracker_id,
            ),
            "history": Counter(
                self.query(
                    "SELECT issue_id, field_name, new_value "
                    + mine.format("issue_history")
                    + " AND change_type <> 'observed'",
                    tracker_id,
                )
            ),
            "observed": Counter(
                self.query(
                    "SELECT issue_id, field_name, old_value, new_value "
                    + mine.format("issue_history")
                    + " AND change_type = 'observed'",
                    tracker_id,
                )
            ),
            "relations": self.query(
                "SELECT issue_id, related_issue_id, c.removed_at IS NULL "
                + mine.format("issue_relations")
                + " ORDER BY 1, 2",
                tracker_id,
            ),
        }


def expected(models: dict[str, Model]) -> dict[str, Any]:
    issues = [(n, m.seen, m) for n, m in sorted(models.items()) if m.seen is not None]
    return {
        "issues": [(n, _stored(seen.title), _stored(seen.status), m.writes) for n, seen, m in issues],
        "comments": [(n, f"id:{c}", *m.comments[c]) for n, _, m in issues for c in sorted(m.comments)],
        "history": Counter({(n, *entry): k for n, _, m in issues for entry, k in m.history.items()}),
        "observed": Counter({(n, *entry): k for n, _, m in issues for entry, k in m.observed.items()}),
        "relations": [(n, r, m.relations[r]) for n, _, m in issues for r in sorted(m.relations)],
    }


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A database with one connection for all examples."""
    with asyncio.Runner() as runner:
        connect = psycopg.AsyncConnection.connect(libpq_url(database.app_url), autocommit=True)
        connection = runner.run(connect)
        yield World(runner, connection)
        runner.run(connection.close())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crawls=st.lists(crawl, max_size=5))
@example(crawls=[[IssueRow(issue_id="1", status="a")], [IssueRow(issue_id="1", status="b")]])
def test_after_any_crawls_the_database_equals_the_model(world: World, crawls: list[list[IssueRow]]) -> None:
    tracker_id = world.new_tracker()
    models = {number: Model() for number in "123"}
    for rows in crawls:
        outcomes = {row.issue_id: models[row.issue_id].see(row) for row in rows}
        assert world.load(tracker_id, rows) == outcomes
        assert set(world.load(tracker_id, rows).values()) <= {"unchanged"}
    assert world.stored(tracker_id) == expected(models)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=crawl, cut=st.integers(0, 3))
def test_batches_may_be_cut_anywhere(world: World, rows: list[IssueRow], cut: int) -> None:
    whole, parts = world.new_tracker(), world.new_tracker()
    world.load(whole, rows)
    world.load(parts, rows[:cut])
    world.load(parts, [copy(row) for row in rows[cut:]])
    assert world.stored(parts) == world.stored(whole)

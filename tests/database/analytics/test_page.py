"""The page about figures is true: its queries run as they stand, for every kind of user."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import sql
from tests.fixtures.analytics import Desk
from tests.fixtures.database import on_every_server
from tests.fixtures.schema import ALICE, ANA, ROOT

PAGE = (Path(__file__).parents[3] / "docs" / "analytics.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
WRITES = ("INSERT INTO ims.tracker_states", "aggregate_", "delete_old_sessions", "refresh_materialized_views")
INNER = {
    "bucket_starts",
    "history_column",
    "known_states",
    "title_words",
    "without_particle",
}  # parts of the others


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Something to count."""
    issue = desk.issue(
        "1",
        title="Listener crash",
        product="Tibero",
        status="Closed",
        state="done",
        registered_date="2025-12-01",
        changes=[("2026-01-03", "Status", "New", "Closed")],
    )
    desk.write("INSERT INTO ims.attachments (issue_pk, sha256) VALUES (%s, 'aa')", issue)
    desk.write("INSERT INTO ims.file_texts (sha256, kind, codes) VALUES ('aa', 'log', '{ORA-01555}')")
    desk.session("2026-01-03", issues=[issue], completed_at="2026-01-03 01:00")
    return desk


@on_every_server
@pytest.mark.parametrize("user_id", [ALICE, ANA, ROOT])
def test_every_example_runs_one_after_the_other(filled: Desk, user_id: int) -> None:
    answered = 0
    for example in EXAMPLES:
        if user_id == ANA and any(word in example for word in WRITES):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                filled.ask(example, user_id=user_id)
            continue
        answered += bool(filled.ask(example, user_id=user_id))
    assert answered > len(EXAMPLES) / 2


def test_every_function_and_view_has_its_example() -> None:
    told = "".join(EXAMPLES) + PAGE[: PAGE.index("## How many")]
    for one in sql.repeatable():
        folder, _, name = one.name.partition("/")
        if folder in {"analytics", "views"} and name not in INNER:
            assert f"ims.{name}" in told, one.name
    assert "ims.analytics_daily" in told
    assert "ims.analytics_monthly" in told

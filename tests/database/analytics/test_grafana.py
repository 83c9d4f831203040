"""The dashboards for Grafana: each panel's statement runs as a person's login, and shows their own rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.db_logins import create_personal_login
from tests.fixtures.analytics import Desk
from tests.fixtures.database import on_every_server
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT

FOLDER = Path(__file__).parents[3] / "docs" / "grafana"
BOARDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"]]
Rows = list[tuple[Any, ...]]
PASSWORD = "a-made-up-one"
PEOPLE = {ALICE: "alice", BOB: "bob", ANA: "ana"}
FROM, TO = "'2025-11-01T00:00:00Z'", "'2026-02-01T00:00:00Z'"


def as_grafana_sends_it(statement: str, product: str = "All") -> str:
    """The statement with Grafana's macros and variables replaced, as its PostgreSQL data source does it."""
    text = re.sub(r"\$__timeFilter\(([^)]+)\)", rf"\1 BETWEEN {FROM} AND {TO}", statement)
    text = text.replace("$__timeFrom()", FROM).replace("$__timeTo()", TO)
    text = text.replace("${product:sqlstring}", "'" + product.replace("'", "''") + "'")
    text = text.replace("${bucket:sqlstring}", "'week'")
    assert "$" not in text, text
    return text


@pytest.fixture
def people(desk: Desk) -> Iterator[dict[int, psycopg.Connection]]:
    """Alice and bob, who have whatever there is to see, and ana, who looks at all."""
    for user_id in (ALICE, BOB):
        mine = f"of {PEOPLE[user_id]}"
        issue = desk.issue(
            "1", title=f"Listener {mine}", product=mine, status="Closed", state="done",
            registered_date="2025-12-01", reporter="x",
            changes=[("2026-01-03", "Status", f"New {mine}", "Closed")], user_id=user_id,
        )  # fmt: skip
        desk.issue("2", title=mine, product=mine, state="open", registered_date="2025-12-02", user_id=user_id)
        comment = (
            "INSERT INTO ims.issue_comments (issue_pk, author, content, commented_at) VALUES (%s, %s, %s, %s)"
        )
        desk.write(comment, issue, mine, mine, "2025-12-03", user_id=user_id)
        file = "INSERT INTO ims.attachments (issue_pk, sha256, filename) VALUES (%s, 'aa', %s)"
        desk.write(file, issue, mine, user_id=user_id)
        text = "INSERT INTO ims.file_texts (sha256, kind, codes) VALUES ('aa', %s, %s)"
        desk.write(text, mine, [f"ORA-{user_id}"], user_id=user_id)
        session = desk.session(
            "2026-01-03", issues=[issue], original_query=mine, completed_at="2026-01-03 01:00",
            duration_seconds=60, user_id=user_id,
        )  # fmt: skip
        wrong = "INSERT INTO ims.session_errors (session_id, error_type, occurred_at)"
        desk.write(f"{wrong} VALUES (%s, %s, '2026-01-03')", session, mine, user_id=user_id)
        asked = "INSERT INTO ims.search_queries (original_query, queried_at) VALUES (%s, '2026-01-03')"
        desk.write(asked, mine, user_id=user_id)
    logins = {user_id: f"{name}_{desk.database.name}" for user_id, name in PEOPLE.items()}
    with desk.database.session(ROOT) as session_of_root:
        for user_id, name in PEOPLE.items():
            create_personal_login(session_of_root, name, PASSWORD, login=logins[user_id])
    connections = {user_id: desk.database.login(login, PASSWORD) for user_id, login in logins.items()}
    yield connections
    for connection in connections.values():
        connection.close()
    with desk.database.superuser() as superuser:
        for login in logins.values():
            superuser.execute(psycopg.sql.SQL("DROP ROLE {}").format(psycopg.sql.Identifier(login)))


def speaks_of(told: Rows, user_id: int) -> bool:
    return re.search(rf"\b(?:{PEOPLE[user_id]}|ORA-{user_id})\b", repr(told), re.IGNORECASE) is not None


def rows(connection: psycopg.Connection, panel: dict[str, Any], product: str = "All") -> Rows:
    (target,) = panel["targets"]
    return connection.execute(as_grafana_sends_it(target["rawSql"], product).encode()).fetchall()


@on_every_server
def test_each_panel_shows_each_person_their_own_rows(people: dict[int, psycopg.Connection]) -> None:
    for name, panel in PANELS:
        told = {user_id: rows(connection, panel) for user_id, connection in people.items()}
        where = (name, panel["title"])
        assert all(told.values()), where
        assert not speaks_of(told[ALICE], BOB), where
        assert not speaks_of(told[BOB], ALICE), where
        if speaks_of(told[ALICE], ALICE):
            assert speaks_of(told[BOB], BOB), where
            assert speaks_of(told[ANA], ALICE), where
            assert speaks_of(told[ANA], BOB), where
        else:  # a number, which both have alike
            assert told[ALICE] == told[BOB], where
    named = sum(speaks_of(rows(people[ALICE], panel), ALICE) for _, panel in PANELS)
    assert named > len(PANELS) / 3


def test_a_product_narrows_what_is_shown_whatever_its_name(people: dict[int, psycopg.Connection]) -> None:
    counted = [panel for _, panel in PANELS if "product:sqlstring" in panel["targets"][0]["rawSql"]]
    assert len(counted) > 5
    for panel in counted:
        for product in ("of alice", "nothing", "it's '; SELECT 1 --"):
            rows(people[ALICE], panel, product)
    (open_now,) = [panel for _, panel in PANELS if panel["title"] == "Open now"]
    assert rows(people[ANA], open_now) == [(2,)]
    assert rows(people[ANA], open_now, "of alice") == [(1,)]
    assert rows(people[ANA], open_now, "nothing") == [(0,)]


def test_the_lists_of_the_variables_are_those_of_whoever_looks(people: dict[int, psycopg.Connection]) -> None:
    (variable,) = [one for one in BOARDS["issues"]["templating"]["list"] if one["name"] == "product"]
    listed = {who: people[who].execute(variable["query"].encode()).fetchall() for who in people}
    assert listed[ALICE] == [("All",), ("of alice",)]
    assert listed[ANA] == [("All",), ("of alice",), ("of bob",)]


def test_a_time_series_has_a_time_and_numbers(people: dict[int, psycopg.Connection]) -> None:
    series = [panel for _, panel in PANELS if panel["targets"][0]["format"] == "time_series"]
    assert len(series) == 4
    for panel in series:
        cursor = people[ALICE].execute(as_grafana_sends_it(panel["targets"][0]["rawSql"]).encode())
        assert cursor.description is not None
        assert cursor.description[0].name == "time"
        assert cursor.description[0].type_display == "timestamptz"
        assert {column.type_display for column in cursor.description[1:]} <= {
            "int8",
            "numeric",
            "float8",
            "int4",
        }


def test_the_boards_are_whole() -> None:
    assert set(BOARDS) == {"issues", "crawls"}
    for board in BOARDS.values():
        assert [panel["id"] for panel in board["panels"]] == list(range(1, len(board["panels"]) + 1))
        known = {variable["name"] for variable in board["templating"]["list"]}
        assert set(re.findall(r"\$\{(\w+)", json.dumps(board))) <= known
        for panel in board["panels"]:
            assert panel["datasource"]["uid"] == panel["targets"][0]["datasource"]["uid"] == "${datasource}"
        for one, other in combinations([panel["gridPos"] for panel in board["panels"]], 2):
            apart = (
                one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            )  # fmt: skip
            assert apart

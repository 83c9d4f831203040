"""Nothing of one user reaches the next over a pooled connection."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session

from db import Issue
from db.engine import async_engine_for, dispose_engines, engine_for
from db.errors import DatabaseUnreachable
from tests.fixtures.database import on_every_server
from tests.fixtures.rls_identities import World
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database

RESIDUE = """
SELECT (SELECT count(*) FROM pg_cursors) + (SELECT count(*) FROM pg_prepared_statements)
     + (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relnamespace = pg_my_temp_schema())
     + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
     + (SELECT count(*) FROM pg_listening_channels())
"""
LEFT = (
    "CREATE TEMP TABLE loot AS SELECT * FROM ims.issues",
    "DECLARE held CURSOR WITH HOLD FOR SELECT * FROM ims.issues",
    "PREPARE kept AS SELECT * FROM ims.issues",
    "SELECT pg_advisory_lock(7)",
    "SET work_mem = '1MB'",
    "SET ims.identity = '2/0'",
    "SET search_path = pg_temp",
    "LISTEN gossip",
)


@contextmanager
def one_connection(database: Database) -> Iterator[Engine]:
    """The program's engine, shown to use one and the same connection."""
    engine = engine_for(database.app_url)
    before = _pid(engine)
    yield engine
    assert _pid(engine) == before, "it was another connection: that it was clean proves nothing"


def _pid(engine: Engine) -> object:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))


@on_every_server
def test_no_cursor_table_plan_lock_or_setting_is_left_to_the_next_user(database: Database) -> None:
    with one_connection(database) as engine:
        with engine.connect() as connection:
            before = connection.execute(text("SHOW ALL")).all()
        with database.session(ALICE) as session:
            session.add(Issue(issue_id="1"))
        with database.session(ALICE) as session:
            for statement in LEFT:
                session.execute(text(statement))
            assert int(session.scalar(text(RESIDUE)) or 0) == 4  # LISTEN begins at the commit
        with database.session(BOB) as session:
            assert session.scalar(text(RESIDUE)) == 0
            assert session.scalar(text("SELECT to_regclass('pg_temp.loot') IS NULL"))
        with engine.connect() as connection:
            assert connection.execute(text("SHOW ALL")).all() == before


def test_what_an_exception_leaves_is_gone_as_well(database: Database) -> None:
    with one_connection(database):
        with pytest.raises(ZeroDivisionError), database.session(ALICE) as session:  # noqa: PT012  # the block
            session.execute(text("SET ims.identity = 'x'"))
            session.execute(text("CREATE TEMP TABLE loot (a integer)"))
            session.commit()
            1 / 0  # noqa: B018  # raises
        with database.session(BOB) as session:
            assert session.scalar(text(RESIDUE)) == 0
            assert session.scalar(text("SELECT ims.current_user_id()")) == BOB


async def test_the_asynchronous_pool_is_as_clean(database: Database) -> None:
    engine = await async_engine_for(database.app_url)
    async with engine.connect() as connection:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        for statement in LEFT:
            await connection.execute(text(statement))
        await connection.commit()
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) == pid
        assert await connection.scalar(text(RESIDUE)) == 0


def test_a_statement_repeated_over_a_cleaned_connection_still_runs(database: Database) -> None:
    """What the driver prepared and the server forgot must not be asked for again."""
    for _ in range(12):
        with database.session(ALICE) as session:
            assert session.scalars(select(Issue).where(Issue.issue_id == "1")).all() == []


def test_a_connection_that_died_in_the_pool_is_replaced(database: Database) -> None:
    with database.session(ALICE) as session:
        session.connection()
    _kill_all(database)
    with database.session(ALICE) as session:
        assert session.scalars(select(Issue)).all() == []


def test_a_connection_that_dies_in_use_is_one_sentence_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(DatabaseUnreachable), database.session(ALICE) as session:  # noqa: PT012  # the block
        session.connection()
        _kill_all(database)
        session.scalars(select(Issue)).all()
    with database.session(ALICE) as session:
        assert session.scalars(select(Issue)).all() == []


def test_a_forked_child_opens_its_own_connections(database: Database) -> None:
    with database.session(ALICE) as session:
        session.add(Issue(issue_id="1"))
    engine = engine_for(database.app_url)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with database.session(ALICE) as session:
                status = 0 if session.scalars(select(Issue.issue_id)).all() == ["1"] else 2
            status = status if engine_for(database.app_url) is not engine else 3
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with database.session(ALICE) as session:
        assert session.scalars(select(Issue.issue_id)).all() == ["1"]


def _kill_all(database: Database) -> None:
    with database.superuser() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'ims_app' AND datname = %s",
            (database.name,),
        )
        for _ in range(200):
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ims_app' AND datname = %s",
                (database.name,),
            ).fetchone()
            if row == (0,):
                return
            time.sleep(0.01)
    raise AssertionError("they live on")


USERS = {ROOT: {1, 2, 3}, ALICE: {2}, BOB: {3}, ANA: {1, 2, 3}}
DEEDS = ("look", "search", "commit", "rollback", "savepoint", "residue", "write", "error", "again")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(USERS)),
        st.lists(
            st.sampled_from(DEEDS),
            max_size=6,
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(steps=STEPS)
def test_whatever_users_do_one_after_another_over_one_pool_each_sees_their_own(
    world: World, steps: list[tuple[int, list[str]]]
) -> None:
    for user_id, deeds in steps:
        with world.database.session(user_id) as session:
            for deed in deeds:
                _do(session, deed, user_id)
            session.rollback()
            _look(session, user_id)


def _look(session: Session, user_id: int) -> None:
    assert set(session.scalars(select(Issue.user_id))) == USERS[user_id]
    assert session.scalar(text("SELECT ims.current_user_id()")) == user_id


def _do(session: Session, deed: str, user_id: int) -> None:
    if deed == "look":
        _look(session, user_id)
    elif deed == "search":
        query = text("SELECT i.user_id FROM ims.search_issues('crash') JOIN ims.issues i USING (issue_pk)")
        assert set(session.scalars(query)) == USERS[user_id]
    elif deed == "commit":
        session.execute(text("CREATE TEMP TABLE IF NOT EXISTS loot (a integer) ON COMMIT DROP"))
        session.commit()
    elif deed == "rollback":
        session.rollback()
    elif deed == "savepoint":
        savepoint = session.begin_nested()
        session.execute(text("SELECT ims.set_current_user(:user_id)"), {"user_id": user_id})
        savepoint.rollback()
        _look(session, user_id)
    elif deed == "residue":
        session.execute(text("SET ims.identity = '2/1'"))
        session.execute(text("DECLARE held CURSOR WITH HOLD FOR SELECT * FROM ims.issues"))
        session.execute(text("CLOSE held"))
        session.rollback()
    elif deed == "write":
        changed = (
            session.execute(text("UPDATE ims.crawl_sessions SET product = 'x'")) if user_id != ANA else None
        )
        assert changed is None or changed.rowcount == len(USERS[user_id])  # type: ignore[attr-defined]  # a cursor's
        session.rollback()
    elif deed == "error":
        with pytest.raises(Exception, match="division by zero"):
            session.execute(text("SELECT 1 / 0"))
        session.rollback()
    elif deed == "again":
        session.execute(text("SELECT ims.set_current_user(:user_id)"), {"user_id": user_id})


def test_an_engine_is_made_once_an_address_and_closed_when_told(database: Database) -> None:
    engine = engine_for(database.app_url)
    assert engine_for(database.app_url.replace("postgresql+psycopg:", "postgres:")) is engine
    dispose_engines()
    assert engine_for(database.app_url) is not engine


def test_a_plain_pool_would_leave_everything_behind(database: Database) -> None:
    """The measure can fail."""
    plain = create_engine(database.app_url)
    with plain.connect() as connection:
        connection.execute(text("CREATE TEMP TABLE loot (a integer)"))
        connection.commit()
    with plain.connect() as connection:
        assert connection.scalar(text(RESIDUE)) == 1
    plain.dispose()

"""What one login holds, keeps or piles up keeps nobody else from going on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from db import get_session, job_queue
from db.setup.bootstrap import upgrade
from pipeline.jobs.due import take_due
from pipeline.jobs.runs import list_runs
from tests.fixtures.database import on_every_server
from tests.fixtures.rls_identities import PASSWORD, World
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT

pytestmark = [on_every_server, pytest.mark.xdist_group("starving")]

MANY = (
    "INSERT INTO ims.saved_searches (name, query, cron, next_run_at) "
    "SELECT 'b' || g, '*', '* * * * *', now() - interval '1 year' FROM generate_series(1, 150) AS g"
)
ONE = (
    "INSERT INTO ims.saved_searches (name, query, cron, next_run_at) "
    "VALUES ('nightly', '*', '0 2 * * *', now() - interval '1 second')"
)


@pytest.fixture(autouse=True)
def configured(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own connections go to this world."""
    monkeypatch.setenv("DATABASE_URL", world.database.app_url)


@pytest.fixture
def schedules(world: World) -> Iterator[None]:
    """Many schedules of bob's, due for long, and one of alice's that has just come due."""
    with world.login(BOB) as bob, world.login(ALICE) as alice:
        bob.execute(MANY.encode())
        alice.execute(ONE.encode())
    yield
    with world.database.superuser() as connection:
        connection.execute("DELETE FROM ims.saved_searches WHERE cron IS NOT NULL")
        connection.execute("SET search_path = ims_jobs")
        connection.execute("DELETE FROM procrastinate_jobs")


def runs_of(user_id: int) -> list[str]:
    with get_session(user_id=user_id) as session:
        return [
            f"{run['name']} {run['status']} {run['error'] or ''}"
            for run in list_runs(session, None, limit=200)
        ]


@pytest.mark.usefixtures("schedules")
def test_many_schedules_of_one_user_keep_nobody_elses_waiting(world: World) -> None:
    with world.login(BOB) as bob, bob.transaction():  # and bob keeps all of his from being taken
        bob.execute("SELECT FROM ims.saved_searches FOR UPDATE")
        listed = job_queue.due(100)
        assert {user_id for user_id, _ in listed[:2]} == {ALICE, BOB}
        for user_id, saved_search_id in listed:
            take_due(user_id, saved_search_id)
        assert "nightly waiting " in runs_of(ALICE)


@pytest.mark.usefixtures("schedules")
def test_a_schedule_that_cannot_be_taken_rests_with_its_reason(world: World) -> None:
    with world.login(BOB) as bob:
        bob.execute(
            "INSERT INTO ims.runs (saved_search_id, due_at, status) "
            "SELECT saved_search_id, next_run_at, 'completed' FROM ims.saved_searches WHERE name = 'b7'"
        )
    from pipeline.jobs.worker import _take_due

    _take_due(None, 1)  # type: ignore[arg-type]  # it looks at neither
    _take_due(None, 1)  # type: ignore[arg-type]
    assert [said for said in runs_of(BOB) if said.startswith("b7 failed The schedule could not be run")]
    assert job_queue.due(1000) == []


@pytest.mark.usefixtures("schedules")
def test_jobs_of_users_take_turns(world: World) -> None:
    for user_id, saved_search_id in sorted(job_queue.due(1000), reverse=True):  # bob's, who is 3, first
        take_due(user_id, saved_search_id)
    with world.database.superuser() as connection:
        order = connection.execute(
            "SELECT (args ->> 'user_id')::integer FROM ims_jobs.procrastinate_jobs WHERE status = 'todo' "
            "ORDER BY priority DESC, id"
        ).fetchall()
    assert [row[0] for row in order].index(ALICE) <= 1
    assert len(order) == 151


@pytest.mark.parametrize("user_id", [ALICE, BOB, ANA])
def test_no_personal_login_locks_a_table(world: World, user_id: int) -> None:
    with world.login(user_id) as connection:
        for table in world.tables:
            for mode in (
                "ACCESS EXCLUSIVE",
                "EXCLUSIVE",
                "SHARE",
                "SHARE UPDATE EXCLUSIVE",
                "SHARE ROW EXCLUSIVE",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(f"LOCK TABLE ims.{table} IN {mode} MODE NOWAIT".encode())
        for name in ("pg_catalog.pg_authid", "ims_private.hosts", "ims_private.refresh_locks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE NOWAIT".encode())


def test_a_personal_login_still_deletes_its_old_sessions_and_refreshes(world: World) -> None:
    with world.login(ALICE) as alice, world.database.superuser() as superuser:
        alice.execute(
            "INSERT INTO ims.crawl_sessions (status, completed_at) VALUES ('completed', '2020-01-01')"
        )
        superuser.execute(
            "INSERT INTO ims.crawl_sessions (user_id, status, completed_at) VALUES (%s, 'completed', "
            "'2020-01-01')",
            (BOB,),
        )
        assert alice.execute("SELECT ims.delete_old_sessions(%s, 365)", (BOB,)).fetchone() == (0,)
        assert alice.execute("SELECT ims.delete_old_sessions(%s, 365)", (ALICE,)).fetchone() == (1,)
        alice.execute("SELECT ims.refresh_materialized_views()")
        assert alice.execute("SELECT count(*) FROM ims.v_daily_summary").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            alice.execute("DELETE FROM ims.issues")
        left = superuser.execute("SELECT count(*) FROM ims.crawl_sessions WHERE completed_at = '2020-01-01'")
        assert left.fetchone() == (1,)
        superuser.execute("DELETE FROM ims.crawl_sessions WHERE completed_at = '2020-01-01'")


@pytest.mark.parametrize("name", ["ana's login", "bob's login", "an unmapped login"])
def test_advisory_keys_keep_neither_a_refresh_nor_an_upgrade_waiting(world: World, name: str) -> None:
    done = threading.Event()

    def refresh_and_upgrade() -> None:
        with world.login(ALICE) as alice:
            alice.execute("SET statement_timeout = '20s'")
            alice.execute("SELECT ims.refresh_materialized_views()")
        upgrade(world.database.superuser_url)
        done.set()

    with world.identities[name].transaction() as connection:
        connection.execute("SELECT pg_advisory_lock(1768911718, g) FROM generate_series(0, 10) AS g")
        connection.execute("SELECT pg_advisory_lock(6907251)")
        # A lock of a stranger's own making that an upgrade has nothing to do with.
        thread = threading.Thread(target=refresh_and_upgrade, daemon=True)
        thread.start()
        assert done.wait(30)
        connection.execute("SELECT pg_advisory_unlock_all()")


def test_only_ones_own_refresh_is_kept_waiting(world: World) -> None:
    with world.login(BOB) as bob, bob.transaction():
        bob.execute("SELECT ims.lock_refresh()")
        for user_id in (ALICE, ROOT):
            with world.login(user_id) as other:
                other.execute("SET lock_timeout = '2s'")
                other.execute("SELECT ims.lock_refresh()")
        with world.login(BOB) as again:
            again.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                again.execute("SELECT ims.lock_refresh()")
    with world.login(ANA) as ana, pytest.raises(psycopg.errors.InsufficientPrivilege):
        ana.execute("SELECT ims.lock_refresh()")


def test_who_acts_for_somebody_waits_for_their_locks_for_a_while_only(world: World) -> None:
    with get_session(user_id=BOB) as session:
        assert session.connection().exec_driver_sql("SHOW lock_timeout").scalar() == "20s"


def test_only_our_logins_connect_and_each_so_often(world: World) -> None:
    stranger = f"guest_{world.database.name}"
    upgrade(world.database.superuser_url)
    with world.database.superuser() as superuser:
        superuser.execute(f"CREATE ROLE {stranger} LOGIN PASSWORD '{PASSWORD}'".encode())
        limits = superuser.execute(
            "SELECT count(*) FILTER (WHERE rolconnlimit = 20), count(*) FROM pg_roles WHERE rolname "
            "= ANY (%s)",
            (list(world.logins.values()),),
        ).fetchone()
        assert limits == (4, 4)
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            world.database.login(stranger, PASSWORD)
        with world.login(ANA) as ana, pytest.raises(psycopg.errors.InsufficientPrivilege):
            ana.execute("CREATE TEMP TABLE filling (a integer)")
        held = [world.login(BOB) for _ in range(19)]  # one is the world's own
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            world.login(BOB)
        world.login(ALICE).close()
        for connection in held:
            connection.close()
    finally:
        with world.database.superuser() as superuser:
            superuser.execute(f"DROP ROLE {stranger}".encode())


@pytest.mark.parametrize("user_id", [ANA, BOB, ROOT])
@pytest.mark.parametrize("making", ["lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, '\\x00')"])
def test_nobody_fills_the_disk_with_large_objects(world: World, user_id: int, making: str) -> None:
    with world.login(user_id) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT {making}".encode())

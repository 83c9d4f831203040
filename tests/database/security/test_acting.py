"""The driver's own connection acts for one user in one transaction, and is kept for nobody else."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import Issue, User
from db.acting import Acting, acting_for, login_user
from db.connections import close_kept, close_kept_at, keep_several
from db.errors import DatabaseRefused, DatabaseUnreachable, IdentityRefused
from db.settings import driver_url, libpq_url
from tests.fixtures.rls_identities import PASSWORD, World
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    close_kept()
    yield
    close_kept()


@pytest.fixture
def stored(database: Database) -> Database:
    """A database in which two users have an issue each."""
    for user_id in (ALICE, BOB):
        with database.session(user_id) as session:
            session.add(Issue(issue_id="1", title=f"of {user_id}"))
    return database


def asked(acting: Acting, query: Any) -> list[Any]:
    return [row[0] for row in acting.connection.execute(query)]


def titles(database: Database, user_id: int, *, everybody: bool | None = None) -> list[str]:
    with acting_for(user_id, url=database.app_url, everybody=everybody) as acting:
        return asked(acting, "SELECT title FROM ims.issues ORDER BY user_id")


def backend(database: Database, user_id: int) -> int:
    with acting_for(user_id, url=database.app_url) as acting:
        return acting.connection.info.backend_pid


def test_each_user_sees_what_their_role_sees(stored: Database) -> None:
    for _ in range(2):
        assert titles(stored, ALICE) == ["of 2"]
        assert titles(stored, BOB) == ["of 3"]
        assert titles(stored, ROOT) == ["of 2", "of 3"]
        assert titles(stored, ROOT, everybody=False) == []
        assert titles(stored, ANA, everybody=True) == ["of 2", "of 3"]
    for user_id in (ALICE, BOB):
        with pytest.raises(DatabaseRefused, match="Only admins and analysts"):
            titles(stored, user_id, everybody=True)


def test_a_connection_goes_on_to_its_own_user_only(stored: Database) -> None:
    alices = backend(stored, ALICE)
    assert backend(stored, ALICE) == alices
    bobs = backend(stored, BOB)
    assert bobs != alices
    assert backend(stored, ALICE) not in (alices, bobs)


def test_a_setting_of_one_transaction_is_gone_in_the_next(stored: Database) -> None:
    assert titles(stored, ROOT, everybody=False) == []
    with acting_for(ROOT, url=stored.app_url) as acting:
        assert asked(acting, "SELECT ims.sees_everybody()") == [True]


def test_unknown_and_disabled_users_are_refused_in_the_same_words(stored: Database) -> None:
    assert titles(stored, BOB) == ["of 3"]  # and his connection is kept
    with stored.session(ROOT) as session:
        session.get_one(User, BOB).is_active = False
    said = set()
    for user_id in (BOB, 99, 0, -1):
        with pytest.raises(IdentityRefused) as refusal:
            titles(stored, user_id)
        said.add(str(refusal.value))
    assert said == {"You cannot act as this user: ask an admin."}


def test_what_fails_is_rolled_back(stored: Database) -> None:
    change = "UPDATE ims.issues SET title = 'changed' RETURNING 1"
    with pytest.raises(ZeroDivisionError), acting_for(ALICE, url=stored.app_url) as acting:  # noqa: PT012
        assert asked(acting, change) == [1]
        1 / 0  # noqa: B018  # raises
    assert titles(stored, ALICE) == ["of 2"]
    with acting_for(ALICE, url=stored.app_url) as acting:
        assert asked(acting, change) == [1]
    assert titles(stored, ALICE) == ["changed"]


def test_a_kept_connection_that_the_server_ended_is_replaced(stored: Database) -> None:
    kept = backend(stored, ALICE)
    with stored.server.connect() as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (kept,))
    assert titles(stored, ALICE) == ["of 2"]
    assert backend(stored, ALICE) != kept


def test_a_login_that_bypasses_row_security_is_refused(stored: Database) -> None:
    refused = pytest.raises(DatabaseRefused, match="bypasses row security")
    with refused, acting_for(ALICE, url=stored.superuser_url):
        raise AssertionError("it was let in")


def test_a_forked_child_leaves_its_parents_connection_alone(stored: Database) -> None:
    kept = backend(stored, ALICE)
    child = multiprocessing.get_context("fork").Process(target=_in_a_child, args=(stored.app_url, kept))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert backend(stored, ALICE) == kept


def _in_a_child(url: str, kept: int) -> None:
    with acting_for(ALICE, url=url) as acting:
        assert acting.connection.info.backend_pid != kept


@pytest.fixture
def several() -> Iterator[None]:
    """As a server keeps connections."""
    keep_several(3)
    yield
    keep_several(1)


@pytest.mark.usefixtures("several")
@given(order=st.lists(st.sampled_from([ALICE, BOB, ROOT, ANA]), min_size=1, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_several_kept_connections_each_goes_on_to_its_own_user_only(
    stored: Database, order: list[int]
) -> None:
    acted: dict[int, int] = {}
    for user_id in order:
        used = backend(stored, user_id)
        assert acted.setdefault(used, user_id) == user_id


@pytest.mark.usefixtures("several")
def test_two_questions_at_once_have_two_connections_and_both_are_kept(stored: Database) -> None:
    with acting_for(ALICE, url=stored.app_url) as one, acting_for(ALICE, url=stored.app_url) as other:
        used = {one.connection.info.backend_pid, other.connection.info.backend_pid}
    with acting_for(ALICE, url=stored.app_url) as one, acting_for(ALICE, url=stored.app_url) as other:
        again = {one.connection.info.backend_pid, other.connection.info.backend_pid}
    assert len(used) == 2
    assert again == used
    close_kept_at(libpq_url(driver_url(stored.app_url)))
    assert backend(stored, ALICE) not in used


def test_who_only_reads_does_not_write_and_does_not_wait(stored: Database) -> None:
    with (
        pytest.raises(DatabaseUnreachable, match="read-only"),
        acting_for(ALICE, url=stored.app_url, only_reads=True) as acting,
    ):
        acting.connection.execute("UPDATE ims.issues SET title = ''")
    with (
        pytest.raises(psycopg.errors.QueryCanceled),
        acting_for(ALICE, url=stored.app_url, only_reads=True, seconds=1) as acting,
    ):
        acting.connection.execute("SELECT pg_sleep(20)")
    with acting_for(ALICE, url=stored.app_url, only_reads=True) as acting:
        titles = asked(acting, "SELECT title FROM ims.issues")
    with acting_for(ALICE, url=stored.app_url) as acting:  # the same connection, for whoever writes
        acting.connection.execute("UPDATE ims.issues SET title = 'mine'")
    assert titles == ["of 2"]


def test_whose_a_personal_login_is(world: World) -> None:
    database = world.database
    for user_id, login in world.logins.items():
        url = database.server.url(user=login, password=PASSWORD, dbname=database.name)
        assert login_user(url) == user_id
        with pytest.raises(IdentityRefused), acting_for(BOB if user_id == ALICE else ALICE, url=url):
            pass
    with pytest.raises(IdentityRefused):
        login_user(database.app_url)  # may act for anybody, so it is nobody
    with pytest.raises(DatabaseRefused):
        login_user(database.superuser_url)
    with pytest.raises(DatabaseRefused):
        login_user(database.server.url(user=world.logins[ALICE], password="wrong", dbname=database.name))

"""Sessions act for one user, through every transaction of their block."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db import Issue, IssueComment, User, get_async_session, get_session
from db.errors import DatabaseRefused, DatabaseUnfit, DatabaseUnreachable, IdentityRefused
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database

WHO = text("SELECT ims.current_user_id()")


def test_a_session_sees_what_its_user_stored_and_nobody_elses(database: Database) -> None:
    for user_id in (ALICE, BOB):
        with database.session(user_id) as session:
            session.add(Issue(issue_id="1", title=f"of {user_id}"))
    for user_id, titles in {
        ALICE: ["of 2"],
        BOB: ["of 3"],
        ROOT: ["of 2", "of 3"],
        ANA: ["of 2", "of 3"],
    }.items():
        with database.session(user_id) as session:
            assert session.scalars(select(Issue.title).order_by(Issue.user_id)).all() == titles


def test_the_identity_holds_across_commits_rollbacks_and_savepoints(database: Database) -> None:
    with database.session(ALICE) as session:
        assert session.scalar(WHO) == ALICE
        session.commit()
        assert session.scalar(WHO) == ALICE
        session.rollback()
        assert session.scalar(WHO) == ALICE
        with session.begin_nested() as savepoint:
            assert session.scalar(WHO) == ALICE
            savepoint.rollback()
        assert session.scalar(WHO) == ALICE


def test_the_block_commits_at_its_end_and_rolls_back_on_an_exception(database: Database) -> None:
    with database.session(ALICE) as session:
        session.add(Issue(issue_id="kept"))
    with pytest.raises(ZeroDivisionError), database.session(ALICE) as session:  # noqa: PT012  # the block is the point
        session.add(Issue(issue_id="lost"))
        session.flush()
        1 / 0  # noqa: B018  # raises
    with database.session(ALICE) as session:
        assert session.scalars(select(Issue.issue_id)).all() == ["kept"]


def test_what_was_loaded_can_be_read_after_the_block(database: Database) -> None:
    with database.session(ALICE) as session:
        issue = Issue(issue_id="1", comments=[IssueComment(content="hello")])
        session.add(issue)
    assert issue.user_id == ALICE
    assert issue.comments[0].issue_pk == issue.issue_pk
    assert issue.comments[0].user_id == ALICE
    assert issue.first_crawled_at.utcoffset() is not None


def test_unknown_and_disabled_users_are_refused_in_the_same_words(database: Database) -> None:
    with database.session(ROOT) as session:
        session.get_one(User, BOB).is_active = False
    said = set()
    for user_id in (BOB, 99, 0, -1):
        with pytest.raises(IdentityRefused) as refusal, database.session(user_id) as session:
            session.scalars(select(Issue)).all()
        said.add(str(refusal.value))
    assert len(said) == 1


def test_a_user_disabled_in_between_sees_nothing_in_the_running_transaction(database: Database) -> None:
    with database.session(BOB) as session:
        session.add(Issue(issue_id="1"))
    with pytest.raises(IdentityRefused), database.session(BOB) as bobs:  # noqa: PT012  # at its next transaction
        assert len(bobs.scalars(select(Issue)).all()) == 1
        with database.session(ROOT) as session:
            session.get_one(User, BOB).is_active = False
        assert bobs.scalars(select(Issue)).all() == []
        bobs.commit()
        bobs.scalars(select(Issue)).all()


def test_without_a_user_id_the_configured_user_acts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.app_url.replace("postgresql+psycopg", "postgres"))
    monkeypatch.setenv("IMS_USER", "bob")
    with get_session() as session:
        assert session.scalar(WHO) == BOB
        session.commit()
        assert session.scalar(WHO) == BOB
    monkeypatch.setenv("IMS_USER", "nobody-of-that-name")
    with pytest.raises(IdentityRefused), get_session() as session:
        session.scalar(WHO)


def test_a_session_for_alice_within_one_for_bob_mixes_nothing(database: Database) -> None:
    with database.session(ALICE) as alices, database.session(BOB) as bobs:
        for _ in range(3):
            assert (alices.scalar(WHO), bobs.scalar(WHO)) == (ALICE, BOB)
            alices.commit()
            bobs.commit()


async def test_the_asynchronous_twin_does_the_same(database: Database) -> None:
    async with get_async_session(user_id=ALICE, url=database.app_url) as session:
        session.add(Issue(issue_id="1", comments=[IssueComment(content="hello")]))
        await session.commit()
        assert await session.scalar(WHO) == ALICE
    async with get_async_session(user_id=BOB, url=database.app_url) as session:
        assert (await session.scalars(select(Issue))).all() == []
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # the block is the point
        async with get_async_session(user_id=ALICE, url=database.app_url) as session:
            session.add(Issue(issue_id="lost"))
            await session.flush()
            1 / 0  # noqa: B018  # raises
    async with get_async_session(user_id=ALICE, url=database.app_url) as session:
        assert (await session.scalars(select(Issue.issue_id))).all() == ["1"]


async def test_the_asynchronous_twin_refuses_unknown_users(database: Database) -> None:
    with pytest.raises(IdentityRefused):
        async with get_async_session(user_id=99, url=database.app_url) as session:
            await session.scalar(WHO)


def test_an_admin_who_acts_as_a_user_by_hand_has_no_more_than_they_have(database: Database) -> None:
    with database.session(ALICE) as session:
        session.add(Issue(issue_id="1"))
    with database.session(ROOT) as session:
        assert len(session.scalars(select(Issue)).all()) == 1
        session.execute(text("SELECT ims.set_current_user(:bob)"), {"bob": BOB})
        assert session.scalar(WHO) == BOB
        assert session.scalar(text("SELECT current_user")) == "ims_acting_user"
        assert session.scalars(select(Issue)).all() == []


def test_logins_that_bypass_row_security_are_refused(database: Database) -> None:
    with pytest.raises(DatabaseRefused, match="bypasses row security"), Connected(database.superuser_url):
        pass
    with database.superuser() as connection:
        connection.execute("CREATE ROLE sly LOGIN PASSWORD 'made-up' IN ROLE ims_owner")
        try:
            with (
                pytest.raises(DatabaseRefused, match="bypasses row security"),
                Connected(database.server.url(user="sly", password="made-up", dbname=database.name)),
            ):
                pass
        finally:
            connection.execute("DROP ROLE sly")


def test_what_is_wrong_with_an_address_is_one_sentence(database: Database) -> None:
    for url, kind in {
        database.server.url(user="ims_app", password="wrong", dbname=database.name): DatabaseRefused,
        database.server.url(user="nobody", password="wrong", dbname=database.name): DatabaseRefused,
        database.server.url(user="ims_app", password="made-up-for-tests", dbname="absent"): DatabaseUnfit,
        "postgresql://ims_app:secret@127.0.0.1:1/ims": DatabaseUnreachable,
        "mysql://somebody:secret@localhost/ims": DatabaseUnfit,
        "not an address, but a secret": DatabaseUnfit,
    }.items():
        with pytest.raises(kind) as refusal, Connected(url):
            pass
        assert "\n" not in str(refusal.value)
        assert "secret" not in str(refusal.value)
        assert str(refusal.value).endswith(".")


class Connected:
    """A session for alice at an address, connected."""

    def __init__(self, url: str) -> None:
        self._manager = get_session(user_id=ALICE, url=url)

    def __enter__(self) -> Session:
        session = self._manager.__enter__()
        try:
            session.connection()
        except BaseException as error:
            self._manager.__exit__(type(error), error, error.__traceback__)
            raise
        return session

    def __exit__(self, *error: object) -> None:
        self._manager.__exit__(None, None, None)

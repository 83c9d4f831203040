"""Secrets on their way into the database: sealed, for their owner only, never in a statement that fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, event

from crawler.errors import UsageError
from crawler.query import parse_query
from db import get_session
from db.db_logins import create_personal_login
from db.errors import DatabaseRefused
from pipeline.jobs.schedules import NewSchedule, add_schedule
from pipeline.trackers.secrets import open_vault
from pipeline.trackers.stored import NewTracker, add_tracker, open_adhoc, open_tracker, rotate
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database

CANARY = "canary-9c41e0"


def add(crawler: Crawler, name: str) -> None:
    new = NewTracker(name=name, kind="ims", base_url="http://127.0.0.1:9", username="kim", password=CANARY)
    with get_session(user_id=crawler.user_id) as session:
        add_tracker(session, new, crawler.program.vault)


def sealed(crawler: Crawler) -> list[bytes]:
    return [row[0] for row in crawler.rows("SELECT secret FROM ims.tracker_secrets ORDER BY tracker_id")]


def test_a_rotation_seals_each_of_ones_own_with_the_new_key_and_they_open_as_before(crawler: Crawler) -> None:
    add(crawler, "one")
    add(crawler, "two")
    bob = dataclasses.replace(crawler, user_id=BOB)
    add(bob, "three")
    before = sealed(crawler)
    assert not any(CANARY.encode() in secret for secret in before)
    former = open_vault(crawler.home, None)
    with get_session(user_id=crawler.user_id) as session:
        assert rotate(session, crawler.program.new_vault()) == 2
    after = sealed(crawler)
    assert after[2] == before[2]  # Bob's is Bob's
    for secret in after[:2]:
        with pytest.raises(UsageError, match="another key"):
            former.open(secret)
    for owner, name in ((crawler, "one"), (crawler, "two"), (bob, "three")):
        with get_session(user_id=owner.user_id) as session:
            program = owner.program
            assert open_tracker(session, name, program.settings, program.vault).password == CANARY


def test_without_the_key_it_is_one_sentence_that_says_what_to_do(crawler: Crawler) -> None:
    add(crawler, "one")
    program = crawler.program
    stranger = open_vault(crawler.home, Fernet.generate_key().decode())
    with (
        get_session(user_id=crawler.user_id) as session,
        pytest.raises(UsageError, match="IMS_SECRET_KEY") as refused,
    ):
        open_tracker(session, "one", program.settings, stranger)
    assert CANARY not in str(refused.value)


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """What statements were sent with."""
    values: list[str] = []

    def note(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        values.append(f"{statement} {parameters}")

    event.listen(Engine, "before_cursor_execute", note)
    yield values
    event.remove(Engine, "before_cursor_execute", note)


ADDRESSES = (
    f"http://u:{CANARY}@host/",
    f"http://:{CANARY}@host/x",
    f"ftp://u:{CANARY}@host/",
    f"http://u:{CANARY}@/",
    f"http://u:{CANARY}@ho st/",
)


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_with_a_password_is_refused_before_the_database_hears_of_it(
    crawler: Crawler, sent: list[str], url: str
) -> None:
    program = crawler.program
    with get_session(user_id=crawler.user_id) as session:
        with pytest.raises(UsageError) as refused:
            open_adhoc(session, "ims", url, program.settings, program.vault)
        with pytest.raises(UsageError):
            add_tracker(session, NewTracker(name="t", kind="ims", base_url=url), program.vault)
    assert CANARY not in f"{sent} {refused.value}"


@pytest.mark.parametrize("name", ["x" * 3000, "", "a\nb"], ids=["long", "empty", "lines"])
@pytest.mark.parametrize("user_id", [ALICE, ANA])
def test_no_statement_with_a_secret_fails_for_a_reason_that_is_known_before(
    crawler: Crawler, sent: list[str], name: str, user_id: int
) -> None:
    if user_id == ANA:
        name = "good"  # but analysts only look
    url = "http://127.0.0.1:9"
    tracker = NewTracker(name=name, kind="ims", base_url=url, username="kim", password=CANARY)
    schedule = NewSchedule(
        name=name,
        query="*",
        parsed=parse_query("*"),
        tracker_id=1,
        cron="0 2 * * *",
        webhook=f"{url}/{CANARY}",
        notify=f"send {CANARY}",
    )
    odd = dataclasses.replace(schedule, name="good", webhook=f"{url}/{CANARY}\udcff")
    with get_session(user_id=user_id) as session:
        with pytest.raises((UsageError, DatabaseRefused)):
            add_tracker(session, tracker, crawler.program.vault)
        for one in (schedule, odd):
            with pytest.raises((UsageError, DatabaseRefused)):
                add_schedule(session, one)
        session.rollback()
    assert CANARY not in str(sent)
    assert "INSERT" not in str(sent)


@pytest.mark.parametrize("login", ["ims_app", "pg_eve", "x" * 64, "", "a\nb"])
def test_a_verifier_is_not_sent_for_a_login_that_cannot_be(
    database: Database, sent: list[str], login: str
) -> None:
    with database.session(ROOT) as session, pytest.raises(DatabaseRefused):
        create_personal_login(session, "alice" if login else "ana", CANARY, login=login or "postgres")
    with database.session(ALICE) as session, pytest.raises(DatabaseRefused):
        create_personal_login(session, "alice", CANARY, login="alice_l")
    assert "SCRAM" not in str(sent)

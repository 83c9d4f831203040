"""Secrets on their way into the database: sealed, for their owner only, never in a statement that fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, event, text

from crawler.errors import UsageError
from crawler.query import parse_query
from db import get_session
from db.db_logins import create_personal_login
from db.errors import DatabaseRefused
from db.session import driver_connection
from pipeline.jobs.schedules import NewSchedule, add_schedule
from pipeline.settings import Settings
from pipeline.trackers.connect import Tracker
from pipeline.trackers.opened import open_adhoc, open_by_id, open_tracker
from pipeline.trackers.secrets import open_vault, password_of
from pipeline.trackers.stored import NewTracker, add_tracker, rotate
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database

CANARY = "canary-9c41e0"
ONE = password_of(ALICE, 1, "http://127.0.0.1:9")


def add(crawler: Crawler, name: str, url: str = "http://127.0.0.1:9", password: str | None = CANARY) -> None:
    new = NewTracker(name=name, kind="ims", base_url=url, username="kim", password=password)
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
            former.open(secret, ONE)
    for owner, name in ((crawler, "one"), (crawler, "two"), (bob, "three")):
        with get_session(user_id=owner.user_id) as session:
            program = owner.program
            assert (
                open_tracker(driver_connection(session), name, program.settings, program.vault).password
                == CANARY
            )


def test_without_the_key_it_is_one_sentence_that_says_what_to_do(crawler: Crawler) -> None:
    add(crawler, "one")
    program = crawler.program
    stranger = open_vault(crawler.home, Fernet.generate_key().decode())
    with (
        get_session(user_id=crawler.user_id) as session,
        pytest.raises(UsageError, match="IMS_SECRET_KEY") as refused,
    ):
        open_tracker(driver_connection(session), "one", program.settings, stranger)
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
            open_adhoc(driver_connection(session), "ims", url, program.settings, program.vault)
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
                add_schedule(session, one, crawler.program.vault)
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


def opened(crawler: Crawler, name: str = "one", settings: Settings | None = None) -> Tracker:
    with get_session(user_id=crawler.user_id) as session:
        return open_tracker(driver_connection(session), name, settings or Settings(), crawler.program.vault)


def test_an_address_that_an_admin_changed_does_not_get_the_password(crawler: Crawler) -> None:
    add(crawler, "one")
    with get_session(user_id=ROOT) as session:  # row security lets an admin
        changed = "UPDATE ims.trackers SET base_url = 'http://elsewhere.example' WHERE user_id = :alice"
        session.execute(text(changed), {"alice": ALICE})
    with pytest.raises(UsageError, match="address changed") as no:
        opened(crawler)
    assert CANARY not in str(no.value)
    add(crawler, "one", "http://elsewhere.example")  # as its owner, knowing it
    assert opened(crawler).password == CANARY


def test_a_password_that_was_copied_into_anothers_row_does_not_open(crawler: Crawler) -> None:
    add(crawler, "one")
    bob = dataclasses.replace(crawler, user_id=BOB)
    add(bob, "one", password="bobs")
    crawler.rows(
        "UPDATE ims.tracker_secrets SET secret = (SELECT secret FROM ims.tracker_secrets WHERE user_id = 2)"
        " WHERE user_id = 3 RETURNING 1"
    )
    with pytest.raises(UsageError, match="again with trackers add"):
        opened(bob)


def test_a_tracker_that_moves_to_another_host_forgets_its_password(crawler: Crawler) -> None:
    add(crawler, "one", "https://ims.example.com/a")
    add(crawler, "one", "https://ims.example.com:443/b", password=None)
    assert opened(crawler).password == CANARY
    for elsewhere in ("https://elsewhere.example", "http://ims.example.com", "https://ims.example.com:8443"):
        add(crawler, "one", "https://ims.example.com/a")
        add(crawler, "one", elsewhere, password=None)
        assert opened(crawler).password is None
    assert sealed(crawler) == []


WITHOUT = Settings(tracker_username="kim")
ENVIRONMENT = Settings(tracker_username="kim", tracker_password="from-the-environment")


def test_the_account_of_the_environment_goes_nowhere_but_where_its_owner_said(crawler: Crawler) -> None:
    add(crawler, "one", "http://planted.example", password=None)
    assert opened(crawler, settings=ENVIRONMENT).password is None
    with get_session(user_id=ALICE) as session:
        adhoc = open_adhoc(
            driver_connection(session), "ims", "http://127.0.0.1:9", ENVIRONMENT, crawler.program.vault
        )
    assert (adhoc.username, adhoc.password) == ("kim", "from-the-environment")
    again = opened(crawler, adhoc.name, ENVIRONMENT)  # as resume does
    assert (again.username, again.password) == ("kim", "from-the-environment")
    assert opened(crawler, adhoc.name).password is None
    with get_session(user_id=ROOT) as session:
        session.execute(text("UPDATE ims.trackers SET base_url = 'http://elsewhere.example'"))
    with (
        get_session(user_id=ALICE) as session,
        pytest.raises(UsageError, match="address changed"),
    ):
        open_by_id(driver_connection(session), adhoc.tracker_id, ENVIRONMENT, crawler.program.vault)


def test_the_password_of_the_environment_wins_for_an_address_on_the_command_line(crawler: Crawler) -> None:
    add(crawler, "one")
    with get_session(user_id=ALICE) as session:
        for settings, password in ((ENVIRONMENT, "from-the-environment"), (WITHOUT, CANARY)):
            found = open_adhoc(
                driver_connection(session), "ims", "http://127.0.0.1:9", settings, crawler.program.vault
            )
            assert (found.name, found.password) == ("one", password)
    assert opened(crawler).password == CANARY


@pytest.mark.parametrize("part", ["?api_key=canary2", "#canary2", "x?key=canary2"])
def test_a_key_in_an_address_is_refused_before_the_database_hears_of_it(crawler: Crawler, part: str) -> None:
    for store in (
        lambda session: open_adhoc(
            driver_connection(session), "ims", f"https://h/{part}", WITHOUT, crawler.program.vault
        ),
        lambda session: add_tracker(
            session, NewTracker(name="x", kind="ims", base_url=f"https://h/{part}"), crawler.program.vault
        ),
    ):
        with (
            get_session(user_id=ALICE) as session,
            pytest.raises(UsageError, match="give it as the password") as refusal,
        ):
            store(session)
        assert "canary2" not in str(refusal.value)
    assert crawler.rows("SELECT count(*) FROM ims.trackers") == [(0,)]

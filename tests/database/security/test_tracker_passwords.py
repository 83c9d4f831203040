"""Stored passwords of trackers: sealed, for their owner's sessions only, and sealed again with a new key."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.fernet import Fernet

from crawler.errors import UsageError
from db import get_session
from pipeline.trackers.secrets import open_vault
from pipeline.trackers.stored import NewTracker, add_tracker, open_tracker, rotate
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import BOB

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

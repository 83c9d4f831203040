"""Alerts on a favorite: once for each new hit, whatever dies in between, and quiet otherwise."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crawler.errors import UsageError
from crawler.http.reach import networks
from db import get_session, job_queue
from db.models import SavedSearch
from pipeline.jobs import alerts
from pipeline.jobs.alerts import NewAlert, check_alert, set_alert, take_alert, tell_new_hits
from pipeline.jobs.context import WorkerContext
from pipeline.jobs.worker import serve
from pipeline.search.favorites import Favorite, add_favorite, list_favorites
from pipeline.settings import Settings
from tests.fixtures.analytics import Desk
from tests.fixtures.database import Server, wait_until
from tests.fixtures.listening import listening, no_content
from tests.fixtures.schema import ALICE, BOB, fresh_database
from tests.fixtures.shell import Shell
from tests.fixtures.workers import LOOPBACK_NETWORK, Yard

pytestmark = pytest.mark.xdist_group("shell")


def issue(yard: Yard, number: str, title: str = "timeout", user_id: int = ALICE) -> None:
    Desk(yard.database).issue(number, title=title, user_id=user_id)


def favor(yard: Yard, new: NewAlert, query: str = "timeout", user_id: int = ALICE, **options: str) -> int:
    """Keep a favorite with an alert; its number."""
    with get_session(user_id=user_id) as session:
        add_favorite(session, Favorite(name="mine", query=query, options=options))
        set_alert(session, "mine", new, yard.program.vault, yard.home)
        return int(
            session.scalars(select(SavedSearch.saved_search_id).where(SavedSearch.name == "mine")).one()
        )


async def work(yard: Yard, *, allow: str = LOOPBACK_NETWORK, due: bool = True) -> None:
    """Let a worker of alice's look at what is due, and end."""
    if due:
        yard.rows("UPDATE ims.alerts SET next_at = now() - interval '1 second' RETURNING 1")
    await serve(
        replace(yard.program, settings=Settings(allow_networks=networks(allow.split()))),
        concurrency=2,
        lease_timeout=2,
        until=lambda: not job_queue.due_alerts(1) and job_queue.unfinished(5) == 0,
    )


def numbers(posted: list[Any]) -> list[list[str]]:
    return [[each["issue_id"] for each in one["issues"]] for one in posted]


def alert_of(user_id: int = ALICE) -> Any:
    with get_session(user_id=user_id) as session:
        (row,) = list_favorites(session, limit=10)
    return row["alert"]


async def test_each_new_hit_is_told_once_and_otherwise_it_is_quiet(yard: Yard) -> None:
    issue(yard, "1")
    with listening() as (address, posted):
        favor(yard, NewAlert(webhook=address), "timeout NOT crash")
        issue(yard, "2")
        issue(yard, "3", "timeout and crash")
        issue(yard, "4", user_id=BOB)
        await work(yard)
        assert numbers(posted) == [["2"]]
        await work(yard)
        assert len(posted) == 1
        yard.rows("UPDATE ims.issues SET title = 'timeout alone' WHERE issue_id = '3' RETURNING 1")
        issue(yard, "5")
        await work(yard)
        await work(yard)
    assert [sorted(one) for one in numbers(posted)] == [["2"], ["3", "5"]]
    assert posted[0]["favorite"] == "mine"
    assert posted[0]["query"] == "timeout NOT crash"
    assert posted[1]["new"] == 2
    assert set(posted[0]["issues"][0]) == {
        *("issue_id", "tracker", "title", "product", "status", "url", "snippet", "found_in"),
    }
    assert alert_of()["error"] is None
    assert alert_of()["told_at"] is not None


async def test_a_digest_waits_for_its_time_and_tells_all_at_once(yard: Yard) -> None:
    with listening() as (address, posted):
        favor(yard, NewAlert(webhook=address, digest="0 9 1 1 *", timezone="Asia/Seoul"))
        for number in range(3):
            issue(yard, str(number))
            await work(yard, due=False)
        assert posted == []
        assert yard.value("SELECT next_at > now() FROM ims.alerts")
        await work(yard)
        assert [sorted(one) for one in numbers(posted)] == [["0", "1", "2"]]
        due = yard.value("SELECT next_at AT TIME ZONE 'Asia/Seoul' FROM ims.alerts")
        assert (due.month, due.day, due.hour) == (1, 1, 9)


async def test_a_command_is_told_too(yard: Yard, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    program = tmp_path / "tell.sh"
    program.write_text(f"#!/bin/sh\ncat >> {heard}\n")
    program.chmod(0o700)
    (yard.home / "notify.toml").write_text(f"desk = {json.dumps([str(program)])}")
    favor(yard, NewAlert(notify="desk"))
    issue(yard, "1")
    await work(yard)
    await work(yard)
    assert [each["issue_id"] for each in json.loads(heard.read_text())["issues"]] == ["1"]


async def test_an_address_of_our_own_network_is_refused_and_told_once_it_is_allowed(yard: Yard) -> None:
    with listening() as (address, posted):
        favor(yard, NewAlert(webhook=address))
        issue(yard, "1")
        await work(yard, allow="10.9.9.0/24")
        assert posted == []
        assert "network of its own" in alert_of()["error"]
        assert "canary" not in alert_of()["error"]
        assert yard.value("SELECT next_at > now() + interval '1 minute' FROM ims.alerts")
        await work(yard)
        assert numbers(posted) == [["1"]]
        assert alert_of()["error"] is None


async def test_a_redirect_is_not_followed_and_what_was_heard_is_not_told_again(yard: Yard) -> None:
    with listening() as (elsewhere, reached):

        def redirect(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(307)
            handler.send_header("Location", elsewhere)
            handler.end_headers()

        with listening(redirect) as (address, posted):
            favor(yard, NewAlert(webhook=address))
            issue(yard, "1")
            await work(yard)
            await work(yard)
    assert reached == []
    assert numbers(posted) == [["1"]]
    assert "status 307" in alert_of()["error"]


async def test_a_receiver_that_does_not_answer_is_not_waited_for(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.jobs.tell.SECONDS", 0.3)
    over = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        over.wait(20)
        no_content(handler)

    with listening(silent) as (address, posted):
        favor(yard, NewAlert(webhook=address))
        issue(yard, "1")
        await work(yard)
        over.set()
        await work(yard)
    assert numbers(posted) == [["1"]]
    assert "took longer" in alert_of()["error"] or "cannot be reached" in alert_of()["error"]


def test_a_worker_that_is_killed_while_it_tells_leaves_nothing_to_be_told_twice(yard: Yard) -> None:
    came, over = threading.Event(), threading.Event()

    def hold(handler: BaseHTTPRequestHandler) -> None:
        came.set()
        over.wait(60)

    with listening(hold) as (address, posted):
        favor(yard, NewAlert(webhook=address))
        issue(yard, "1")
        yard.rows("UPDATE ims.alerts SET next_at = now() RETURNING 1")
        first = yard.worker()
        assert came.wait(60)
        first.kill()
        first.wait()
        over.set()
        issue(yard, "2")
        yard.rows("UPDATE ims.alerts SET next_at = now() RETURNING 1")
        yard.worker()
        wait_until(lambda: len(posted) > 1, "the second hit is told", 60)
    assert numbers(posted) == [["1"], ["2"]]


def test_the_address_is_a_secret(yard: Yard) -> None:
    favor(yard, NewAlert(webhook="https://hooks.example.com/canary-path?canary=query"))
    for table in ("alerts", "saved_searches", "audit_log"):
        assert "canary" not in str(yard.rows(f"SELECT t::text FROM ims.{table} AS t")), table  # noqa: S608
    assert alert_of()["webhook"] == "https://hooks.example.com"
    assert "canary" not in repr(NewAlert(webhook="https://hooks.example.com/canary"))
    with get_session(user_id=BOB) as session:
        assert list_favorites(session, limit=10) == []


@pytest.mark.parametrize(
    "new",
    [
        NewAlert(digest="0 9 * * *"),
        NewAlert(notify="rm -rf /"),
        NewAlert(webhook="ftp://example.com/"),
        NewAlert(webhook="http://me:canary@example.com/"),
        NewAlert(webhook="http://example.com/", digest="nine o'clock"),
        NewAlert(webhook="http://example.com/", digest="0 9 * * *", timezone="Mars/Olympus"),
    ],
)
def test_what_cannot_be_is_refused(new: NewAlert) -> None:
    with pytest.raises(UsageError) as refused:
        check_alert(new)
    assert "canary" not in str(refused.value)


def test_on_the_command_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    added = shell("favorites", "add", "mine", "timeout", "--notify", "desk", "--digest", "0 9 * * *")
    assert added.status == 0, added.err
    (kept,) = shell("favorites", "list", "--json").document
    assert (kept["alert"]["notify"], kept["alert"]["digest"], kept["alert"]["webhook"]) == (
        "desk",
        "0 9 * * *",
        None,
    )
    assert "desk, 0 9 * * * UTC" in shell("favorites", "list").out
    monkeypatch.setattr("sys.stdin.readline", lambda _: "https://hooks.example.com/canary\n", raising=False)
    assert shell("favorites", "add", "mine", "timeout", "--webhook", "-").status == 0
    listed = shell("favorites", "list")
    assert "https://hooks.example.com" in listed.out
    assert "canary" not in listed.out
    assert shell("favorites", "add", "mine", "timeout").status == 0
    assert shell("favorites", "list", "--json").document[0]["alert"] is None
    for wrong in (("--digest", "0 9 * * *"), ("--webhook", "mailto:x"), ("--notify", "a b")):
        refused = shell("favorites", "add", "mine", "timeout", *wrong)
        assert refused.status == 2, wrong
    assert shell("favorites", "remove", "mine").status == 0


class Receiver:
    """What a receiver does next, and what it got."""

    def __init__(self) -> None:
        self.mood = "ok"
        self.came = threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.came.set()
        if self.mood == "refuses":
            handler.send_response(500)
            handler.end_headers()
        elif self.mood != "hangs up":
            no_content(handler)


@pytest.fixture(scope="module")
def shared(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with pytest.MonkeyPatch.context() as patch, fresh_database(server, template) as database:
        patch.setenv("DATABASE_URL", database.app_url)
        patch.setenv("IMS_HOME", str(home := tmp_path_factory.mktemp("alerts")))
        yield Yard(database, home)


STEPS = st.lists(
    st.sampled_from(["issue", "ok", "refuses", "hangs up", "away", "dies early", "dies late", "two at once"]),
    max_size=8,
)
_issues = count(1)


@settings(max_examples=12)
@given(steps=STEPS)
def test_no_hit_is_told_twice_whatever_happens(shared: Yard, steps: list[str]) -> None:
    shared.rows("DELETE FROM ims.issues RETURNING 1")
    receiver = Receiver()
    with listening(receiver) as (address, posted):
        number = favor(shared, NewAlert(webhook=address))
        made: set[str] = set()
        lost = False  # one may have been lost on the way
        for step in [*steps, "issue", "ok"]:
            if step == "issue":
                made.add(made_one := str(next(_issues)))
                issue(shared, made_one)
                continue
            receiver.mood = step
            receiver.came.clear()
            asyncio.run(look(shared, number, step, receiver))
            lost = lost or step not in ("ok", "away", "two at once")
    told = [each for one in numbers(posted) for each in one]
    assert len(told) == len(set(told))
    assert set(told) <= made
    assert lost or set(told) == made


async def look(yard: Yard, number: int, step: str, receiver: Receiver) -> None:
    """One look of a worker's that goes as the step says."""
    allowed = "10.9.9.0/24" if step == "away" else LOOPBACK_NETWORK
    program = replace(yard.program, settings=Settings(allow_networks=networks([allowed])))
    context = WorkerContext(program, 2)
    looks = [
        asyncio.create_task(tell_new_hits(context, ALICE, number)) for _ in range(1 + (step == "two at once"))
    ]
    if step == "dies early":
        await asyncio.sleep(0.01)
        looks[0].cancel()
    elif step == "dies late":
        await asyncio.to_thread(receiver.came.wait, 0.5)
        looks[0].cancel()
    await asyncio.gather(*looks, return_exceptions=True)


def test_a_look_that_is_due_is_taken_by_one_worker(yard: Yard) -> None:
    number = favor(yard, NewAlert(webhook="http://127.0.0.1:9/"))
    yard.rows("UPDATE ims.alerts SET next_at = now() - interval '1 second' RETURNING 1")
    assert job_queue.due_alerts(10) == [(ALICE, number)]
    for _ in range(3):
        take_alert(ALICE, number)
    assert job_queue.due_alerts(10) == []
    yard.rows("UPDATE ims.alerts SET next_at = now() - interval '1 second' RETURNING 1")
    take_alert(ALICE, number)  # nobody has begun with the job yet
    assert len(yard.rows("SELECT 1 FROM ims_jobs.procrastinate_jobs WHERE task_name = 'alert'")) == 1
    assert alerts.EVERY.total_seconds() == 60

"""Who is told of news, and how: a row of the database decides nothing that is run, reached or shown."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import text

from crawler.errors import NotPermitted, UsageError
from crawler.http.reach import Reach, networks
from crawler.sources.ims.standin import StandIn
from db import get_session, job_queue
from pipeline.jobs import tell
from pipeline.jobs.commands import read_commands
from pipeline.jobs.schedules import find_schedule, newest_failure_to_tell, webhook_site
from pipeline.jobs.worker import serve
from pipeline.settings import Settings
from tests.fixtures.database import wait_until
from tests.fixtures.listening import listening
from tests.fixtures.schema import ALICE, BOB, ROOT
from tests.fixtures.workers import LOOPBACK_NETWORK, Yard

LOOPBACK = "http://127.0.0.1:9"  # nobody listens there
HERE = Reach(networks([LOOPBACK_NETWORK]))


@pytest.fixture
async def tracker() -> AsyncIterator[StandIn]:
    """A few issues."""
    async with StandIn(synthetic=5) as standin:
        yield standin


async def work(yard: Yard, *, allow: str = LOOPBACK_NETWORK) -> None:
    """Let a worker of alice's do what is due, and end."""
    yard.make_due()
    await serve(
        replace(yard.program, settings=Settings(allow_networks=networks(allow.split()))),
        concurrency=2,
        lease_timeout=2,
        until=lambda: not job_queue.due(1) and job_queue.unfinished(5) == 0,
    )


def notes(yard: Yard) -> list[tuple[Any, ...]]:
    return yard.rows(
        "SELECT user_id, error_message FROM ims.session_errors WHERE error_type = 'NotTold' ORDER BY 1, 2"
    )


def script(path: Path, *lines: str) -> str:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(stat.S_IRWXU)
    return str(path)


def commands(yard: Yard, **named: list[str]) -> None:
    """The worker's own file."""
    lines = [f"{name} = {json.dumps(words)}" for name, words in named.items()]
    (yard.home / "notify.toml").write_text("\n".join(lines))


async def test_a_command_and_an_address_are_told_what_is_new(
    yard: Yard, tracker: StandIn, tmp_path: Path
) -> None:
    heard = tmp_path / "heard;touch x"
    commands(yard, desk=[script(tmp_path / "tell.sh", 'cat > "$1"; env > "$1.env"'), str(heard)])
    with listening() as (address, posted):
        yard.schedule(tracker.url, notify="desk", webhook=address)
        await work(yard)
    document = json.loads(heard.read_text())
    assert posted == [document]
    assert document["schedule"] == "nightly"
    assert document["issues_new"] == len(document["issues"]) == 5
    assert {"issue_id", "tracker", "title", "product", "status", "change", "url", "found_at"} == set(
        document["issues"][0]
    )
    environment = (tmp_path / "heard;touch x.env").read_text()
    assert "PATH=" in environment
    assert "DATABASE_URL" not in environment
    assert "IMS_" not in environment
    assert notes(yard) == []


async def test_a_command_line_in_a_row_is_not_run_whoever_wrote_it(
    yard: Yard, tracker: StandIn, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    commands(yard, desk=["/bin/true"])
    yard.schedule(tracker.url, notify="desk")
    with get_session(user_id=ROOT) as session:  # an admin may write everybody's rows
        session.execute(
            text(
                "UPDATE ims.saved_searches"
                " SET options = jsonb_set(options, '{notify}', to_jsonb(CAST(:line AS text)))"
            ),
            {"line": f"/usr/bin/touch {ran}"},
        )
    await work(yard)
    assert not ran.exists()
    ((user_id, message),) = notes(yard)
    assert user_id == ALICE
    assert "notify.toml has no command of that name" in message


async def test_telling_that_fails_is_noted_and_shown_and_the_run_stands(
    yard: Yard, tracker: StandIn, tmp_path: Path
) -> None:
    commands(yard, desk=[script(tmp_path / "broken.sh", "echo the desk is closed >&2", "exit 3")])
    yard.schedule(tracker.url, notify="desk", webhook=LOOPBACK + "/canary-path")
    yard.schedule(tracker.url, user_id=BOB, name="mine", notify="desk")
    await work(yard)
    assert yard.rows("SELECT DISTINCT status FROM ims.runs") == [("completed",)]
    by = "Notification by"
    away = "The address cannot be reached, or does not answer as a web server does."
    assert notes(yard) == [
        (ALICE, f"{by} notify failed: The command ended with status 3. the desk is closed"),
        (ALICE, f"{by} webhook failed: {away}"),
        (BOB, f"{by} notify failed: A worker runs commands for its own user only: use a webhook."),
    ]
    with get_session(user_id=ALICE) as session:
        shown = newest_failure_to_tell(session, find_schedule(session, "nightly"))
    assert shown is not None
    assert "failed" in shown["message"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('desk = "touch x"', "a list of words"),
        ("desk = []", "a list of words"),
        ("desk = [1]", "a list of words"),
        ('"a b" = ["/bin/true"]', "no shell"),
        ('desk = ["/does/not/exist"]', "is not there"),
        ("desk: true", "not in TOML"),
    ],
)
def test_a_file_of_commands_that_is_wrong_is_told_at_the_start(
    tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "notify.toml").write_text(content)
    with pytest.raises(UsageError, match=words):
        read_commands(tmp_path)


def test_a_file_of_commands_that_others_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notify.toml").write_text('desk = ["/bin/true"]')
    assert read_commands(tmp_path) == {"desk": ["/bin/true"]}
    (tmp_path / "notify.toml").chmod(0o666)
    with pytest.raises(UsageError, match="others may write it"):
        read_commands(tmp_path)


async def test_a_command_that_takes_too_long_ends_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    slow = script(tmp_path / "slow.sh", f"sleep 600 & echo $! >> {pids}", f"echo $$ >> {pids}", "wait")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await tell._run([slow], "{}")
    numbers = [int(line) for line in pids.read_text().split()]
    assert len(numbers) == 2

    def gone() -> bool:
        return not any(running(number) for number in numbers)

    wait_until(gone, "the end of all of them", 5)


@pytest.mark.parametrize("then", ["exit 0", "wait"])
async def test_what_escapes_from_a_command_holds_nobody_up(tmp_path: Path, then: str) -> None:
    escaped = tmp_path / "escaped"
    line = f"setsid sh -c 'echo $$ > {escaped}; exec sleep 600' <&0 &"  # holds input and error
    began = monotonic()
    command = script(tmp_path / "escape.sh", "exec 3<&0", line, f"while ! [ -s {escaped} ]; do :; done", then)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await tell._run([command], "x" * 1_000_000)
    finally:
        os.kill(int(escaped.read_text()), signal.SIGKILL)
    assert monotonic() - began < 5


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_webhook_that_answers_with_a_bomb_or_without_end_costs_nothing() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))

    def explode(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        with_patience = 200
        try:
            for _ in range(with_patience):
                handler.wfile.write(bomb)
        except OSError:
            pass

    before = memory()
    began = monotonic()
    with listening(explode) as (address, posted):
        assert await tell.post(address, "{}", HERE) == 200
    assert posted == [{}]
    assert memory() - before < 32 << 20
    assert monotonic() - began < 10


def memory() -> int:
    """The most that this process has had, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


async def test_a_webhooks_redirect_is_not_followed() -> None:
    with listening() as (elsewhere, visited):

        def lead_away(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(307)
            handler.send_header("Location", elsewhere)
            handler.end_headers()

        with listening(lead_away) as (address, _):
            assert await tell.post(address, "{}", HERE) == 307
        assert visited == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_a_webhook_does_not_reach_the_workers_own_network_however_it_is_written(host: str) -> None:
    with listening() as (address, posted):
        with pytest.raises(NotPermitted, match="--allow-network"):
            await tell.post(address.replace("127.0.0.1", host), "{}", Reach())
        assert posted == []


async def test_others_trackers_do_not_reach_the_workers_own_network_and_ones_own_do(
    yard: Yard, tracker: StandIn
) -> None:
    yard.schedule(tracker.url)
    yard.schedule(tracker.url, user_id=BOB, name="theirs")
    await work(yard, allow="")
    assert yard.rows("SELECT user_id, status, attempts FROM ims.runs ORDER BY 1") == [
        (ALICE, "completed", 1),
        (BOB, "failed", 1),
    ]
    assert "--allow-network" in yard.value("SELECT error FROM ims.runs WHERE user_id = 3")


async def test_the_address_of_a_webhook_is_shown_to_nobody(yard: Yard, tracker: StandIn) -> None:
    with listening(lambda handler: handler.send_error(404)) as (address, posted):
        yard.schedule(tracker.url, webhook=address)
        await work(yard)
    assert len(posted) == 1
    with get_session(user_id=ALICE) as session:
        assert webhook_site(find_schedule(session, "nightly")) == address.partition("/hook")[0]
    assert [message for _, message in notes(yard)] == [
        "Notification by webhook failed: The address answered with status 404."
    ]
    tables = yard.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'ims'")
    for (table,) in tables:
        kept = str(yard.rows(f"SELECT t::text FROM ims.{table} t"))  # noqa: S608 - names of the catalogue
        assert "canary" not in kept, table


async def test_a_webhook_that_was_copied_to_another_row_or_kept_readable_is_not_used(
    yard: Yard, tracker: StandIn
) -> None:
    with listening() as (address, posted):
        yard.schedule(tracker.url, webhook=address)
        yard.schedule(tracker.url, user_id=BOB, name="nightly", webhook=LOOPBACK)
        yard.rows(
            "UPDATE ims.saved_searches SET options ="
            " (SELECT options FROM ims.saved_searches WHERE user_id = 2) WHERE user_id = 3 RETURNING 1"
        )
        yard.rows(
            "UPDATE ims.saved_searches SET options = jsonb_set(options, '{webhook}', to_jsonb(%s::text))"
            " WHERE user_id = 2 RETURNING 1",
            address,
        )
        await work(yard)
    assert posted == []
    assert [(user_id, "again with schedule add" in message) for user_id, message in notes(yard)] == [
        (ALICE, True),
        (BOB, True),
    ]

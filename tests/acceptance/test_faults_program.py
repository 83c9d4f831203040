"""The whole program against a tracker that misbehaves, a process that sleeps, a search for secrets.

After each fault: every issue that is claimed to be stored is there once, found is stored and failed and
skipped, and the exit status is 0 only where nothing is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.messages import Answer, Request, html
from crawler.sources.ims.standin.routes import DOWNLOAD_PATH
from pipeline.stages.circuit_breaker import STREAK
from tests.fixtures.failpoints import FailingProgram
from tests.fixtures.program import ROOT, Program, Tracker
from tests.fixtures.schema import Database
from tests.fixtures.standin import ISSUE, LOGIN, SEARCH
from tests.fixtures.stored_rows import difference, stored_rows

ISSUES = 60
CANARY = "canary-7f3a9d21c0"
LIMIT = 90  # seconds
SLOW = 5.0  # seconds for each answer: however busy the machine is, a crawl is not over meanwhile


@dataclass
class Crawl:
    """One run of ``crawl *`` as a process, beside the tracker in this one."""

    database: Database = field(repr=False)
    home: Path
    tracker: StandIn
    options: tuple[str, ...] = ()
    account: dict[str, str] = field(default_factory=lambda: dict(Tracker.ACCOUNT))
    user: str = "alice"

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        """Begin a command."""
        kept = Program(self.home).environment(DATABASE_URL=self.database.app_url, IMS_USER=self.user)
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "run_crawl.py"),
            *command,
            env={**kept, **self.account},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def command(self) -> tuple[str, ...]:
        return ("crawl", "*", "--kind", "ims", "--url", self.tracker.url, *self.options, "--json")

    async def begin(self) -> asyncio.subprocess.Process:
        """Begin the crawl."""
        return await self.start(*self.command)

    async def end(self, process: asyncio.subprocess.Process) -> tuple[int, dict[str, Any], str]:
        """Wait for a command; its status, document and complaints come back."""
        async with asyncio.timeout(LIMIT):
            out, err = await process.communicate()
        assert process.returncode is not None
        assert b"Traceback" not in err
        return process.returncode, json.loads(out) if out else {}, err.decode()

    async def run(self, *command: str) -> tuple[int, dict[str, Any], str]:
        """Run a command to its end."""
        known = {"DATABASE_URL": self.database.app_url, "IMS_USER": self.user, **self.account}
        # The tracker is in this process.
        done = await asyncio.to_thread(Program(self.home), *command, **known)
        assert "Traceback" not in done.err
        return done.status, done.document if done.out else {}, done.err

    async def __call__(self) -> tuple[int, dict[str, Any], str]:
        return await self.run(*self.command)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is really stored."""
        with self.database.superuser() as connection:
            return connection.execute(query.encode()).fetchall()

    async def until(self, query: str) -> None:
        """Wait until a query gives true."""
        with self.database.superuser() as connection:
            await until(lambda: connection.execute(query.encode()).fetchall() == [(True,)])

    def check(self, status: int, document: dict[str, Any]) -> None:
        """What must hold after every fault."""
        ((stored, different),) = self.rows("SELECT count(*), count(DISTINCT issue_id) FROM ims.issues")
        assert stored == different
        states = dict(self.rows("SELECT state, count(*)::integer FROM ims.session_frontier GROUP BY state"))
        assert document["issues_crawled"] == stored == sum(states.get(s, 0) for s in ("new", "unchanged"))
        accounted = document["issues_crawled"] + document["failed_issues"] + document["skipped_issues"]
        if document["status"] == "completed":
            assert accounted == document["total_issues_found"]
        assert (status == 0) == (document["status"] == "completed" and not document["failed_issues"])


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110 - neither a tracker nor a database tells us
            await asyncio.sleep(0.002)


def logins(tracker: StandIn) -> int:
    """How often name and password were sent."""
    return sum(request.path == LOGIN and request.method == "POST" for request in tracker.log)


@pytest.fixture
async def tracker() -> AsyncIterator[StandIn]:
    """A tracker with sixty issues that answers slowly enough to be disturbed."""
    async with StandIn(synthetic=ISSUES, latency=0.01) as standin:
        yield standin


@pytest.fixture
def crawl(database: Database, tmp_path: Path, tracker: StandIn) -> Crawl:
    return Crawl(database, tmp_path / "home", tracker)


def answer_instead(
    tracker: StandIn, when: Callable[[Request], bool], answer: Callable[[Request], Answer]
) -> None:
    """Answer some requests in a way of our own."""
    site = tracker._site
    ordinary = site.answer
    site.answer = lambda request: answer(request) if when(request) else ordinary(request)  # type: ignore[method-assign] # a tracker that misbehaves


async def test_pauses_and_failures_that_pass_cost_nothing(crawl: Crawl, tracker: StandIn) -> None:
    tracker.fail_next(503, times=2, path=SEARCH)
    tracker.fail_next(429, retry_after=1, path=ISSUE)
    tracker.fail_next(502, path=ISSUE)
    tracker.fail_next(500, path=LOGIN)
    status, document, _ = await crawl()
    crawl.check(status, document)
    assert status == 0
    assert document["issues_new"] == ISSUES


async def test_a_file_that_was_asked_for_and_is_not_to_be_had_is_told(crawl: Crawl, tracker: StandIn) -> None:
    crawl = replace(crawl, options=("--attachments",))
    tracker.fail_next(404, times=2, path=DOWNLOAD_PATH)
    status, document, told = await crawl()
    assert (status, document["status"]) == (4, "completed")
    assert "2 attached files could not be had" in told
    receipt = await crawl.run("receipt", document["session_uuid"], "--json")
    assert receipt[1]["attachments_missing"] == 2
    assert receipt[1]["attachments_downloaded"] == document["attachments_downloaded"] > 0
    assert not receipt[1]["complete"]
    status, document, told = await crawl()  # asks for them again
    assert (status, document["attachments_downloaded"]) == (0, 2)


async def test_a_login_that_expires_during_the_crawl_is_renewed(crawl: Crawl, tracker: StandIn) -> None:
    process = await crawl.begin()
    for share in (1, 20, 40):
        await until(lambda share=share: tracker.requests[ISSUE] >= share)
        tracker.expire_sessions()
    status, document, _ = await crawl.end(process)
    crawl.check(status, document)
    assert status == 0
    assert document["issues_new"] == ISSUES
    assert logins(tracker) == 4  # the first one, then one for all who wait


async def test_a_password_that_changes_stops_the_crawl_once_and_it_is_resumed(
    crawl: Crawl, tracker: StandIn
) -> None:
    process = await crawl.begin()
    await until(lambda: tracker.requests[ISSUE] >= 20)
    tracker.set_password("kim", "another-secret")
    tracker.expire_sessions()
    status, document, err = await crawl.end(process)
    crawl.check(status, document)
    assert status == 3
    assert document["status"] == "failed"
    assert logins(tracker) == 2  # the first one, and one that was refused
    assert f"resume {document['session_uuid']}" in err
    crawl.account["IMS_TRACKER_PASSWORD"] = "another-secret"
    status, document, _ = await crawl.run("resume", document["session_uuid"], "--json")
    assert status == 0
    assert document["issues_crawled"] == ISSUES


async def test_a_total_that_is_never_reached_is_no_complete_session(crawl: Crawl, tracker: StandIn) -> None:
    def one_more(request: Request) -> Answer:
        answer = ordinary(request)
        return replace(answer, body=answer.body.replace(b"Total 60 ", b"Total 61 "))

    ordinary = tracker._site.answer
    answer_instead(tracker, lambda request: request.path == SEARCH, one_more)
    status, document, err = await crawl()
    crawl.check(status, document)
    assert status == 4
    assert document["status"] == "failed"
    assert document["issues_new"] == ISSUES
    assert "61" in err


async def test_a_list_that_grows_on_top_while_it_is_read_loses_nothing(
    crawl: Crawl, tracker: StandIn
) -> None:
    newest = tracker.world.numbers()[-1]
    pages = 0
    ordinary = tracker._site.answer

    def grow(request: Request) -> Answer:
        nonlocal pages
        pages += 1
        if pages in (2, 4, 5):
            tracker.add_issue(replace(tracker.issue(newest), number=newest + pages))
        return ordinary(request)

    tracker._site._listing = replace(tracker._site._listing, page_size_cookie=False)
    answer_instead(tracker, lambda request: request.path == SEARCH, grow)
    status, document, _ = await crawl()
    crawl.check(status, document)
    assert status == 0
    stored = {int(number) for (number,) in crawl.rows("SELECT issue_id FROM ims.issues")}
    assert stored == set(tracker.world.numbers())
    assert len(stored) == ISSUES + 3


async def test_an_error_page_with_status_200_is_an_error_and_the_stored_issue_stays(
    crawl: Crawl, tracker: StandIn
) -> None:
    assert (await crawl())[0] == 0
    before = crawl.rows("SELECT issue_id, title, content_hash FROM ims.issues ORDER BY 1")
    number = tracker.world.numbers()[7]
    tracker.edit_issue(number, title="changed")
    answer_instead(
        tracker,
        lambda request: request.path == ISSUE and request.param("issueId") == str(number),
        lambda request: html("<html><body><h1>Internal error</h1>ORA-00600</body></html>"),
    )
    status, document, _ = await crawl()
    assert status == 4
    assert document["failed_issues"] == 1
    assert document["issues_unchanged"] == ISSUES - 1
    assert crawl.rows("SELECT issue_id, title, content_hash FROM ims.issues ORDER BY 1") == before
    assert crawl.rows("SELECT issue_id FROM ims.raw_pages WHERE quarantined") == [(str(number),)]


async def test_an_error_page_in_place_of_the_list_stops_the_crawl_and_it_is_resumed(
    crawl: Crawl, tracker: StandIn
) -> None:
    broken = True
    tracker._site._listing = replace(tracker._site._listing, page_size_cookie=False)
    answer_instead(
        tracker,
        lambda request: broken and request.path == SEARCH and request.param("pageIndex") == "3",
        lambda request: html("<html><body>Service is being maintained</body></html>"),
    )
    status, document, _ = await crawl()
    crawl.check(status, document)
    assert status == 5
    assert 0 < document["total_issues_found"] < ISSUES
    broken = False
    status, document, _ = await crawl.run("resume", document["session_uuid"], "--json")
    crawl.check(status, document)
    assert status == 0
    assert document["issues_new"] == ISSUES


async def test_a_process_that_slept_does_not_write_over_its_successor(
    crawl: Crawl, tracker: StandIn, database: Database
) -> None:
    crawl.options = ("--workers", "2")
    sleeper = await crawl.begin()
    try:
        await until(lambda: tracker.requests[ISSUE] >= 20)
        tracker.latency = SLOW
        await crawl.until("SELECT count(*) > 0 FROM ims.issues")
        os.kill(sleeper.pid, signal.SIGSTOP)
        ((session,),) = crawl.rows("SELECT session_uuid FROM ims.crawl_sessions")
        tracker.latency = 0.0
        status, document, _ = await crawl.run("resume", str(session), "--json")
        assert (status, document["issues_new"]) == (0, ISSUES)
        with database.superuser() as connection:
            before = stored_rows(connection)
        os.kill(sleeper.pid, signal.SIGCONT)
        status, document, err = await crawl.end(sleeper)
    finally:
        with contextlib.suppress(ProcessLookupError):
            sleeper.kill()
    assert status == 5
    sentences = [line for line in err.splitlines() if "[info" not in line and "[warning" not in line]
    assert sentences == ["Another process has taken this session over: this one stops."]
    with database.superuser() as connection:
        assert difference(stored_rows(connection), before) == ([], [])


async def test_a_password_is_nowhere_but_in_the_login_form(
    crawl: Crawl, tracker: StandIn, failing: FailingProgram, database: Database, tmp_path: Path
) -> None:
    tracker.set_password("kim", CANARY)
    crawl.account["IMS_TRACKER_PASSWORD"] = CANARY
    crawl.options = ("--attachments",)
    seen: list[bytes] = []
    process = await crawl.begin()
    while process.returncode is None and tracker.requests[ISSUE] < ISSUES:
        seen += _command_lines()
        await asyncio.sleep(0.1)
    assert any(b"run_crawl.py" in line for line in seen)
    status, document, err = await crawl.end(process)
    assert status == 0
    told = [json.dumps(document), err]
    # A wrong password, and a defect whose message quotes the right one.
    crawl.account["IMS_TRACKER_PASSWORD"] = CANARY + "-wrong"
    told += [str(part) for part in await crawl()]
    broken = await asyncio.to_thread(  # the tracker is in this process
        failing.run,
        database,
        "crawl",
        "*",
        "--kind",
        "ims",
        "--url",
        tracker.url,
        IMS_TRACKER_PASSWORD=CANARY,
        FAIL_WITH_PASSWORD="1",
    )
    told += [broken.out, broken.err]
    assert broken.status == 1
    defect = (failing.home / "last-defect.txt").read_text()
    assert "ArithmeticError" in defect
    told.append(defect)
    files = [path for folder in (tmp_path, failing.home) for path in folder.rglob("*") if path.is_file()]
    told += [path.read_bytes().decode("latin-1") for path in files]
    told += [line.decode("latin-1") for line in seen]
    told += _everything_in(database)
    assert not [text for text in told if CANARY in text]


def _command_lines() -> list[bytes]:
    """What ps shows of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            found.append(path.read_bytes())
    return found


def _everything_in(database: Database) -> list[str]:
    with database.superuser() as connection:
        tables = connection.execute(
            "SELECT quote_ident(relname) FROM pg_class"
            " WHERE relnamespace = 'ims'::regnamespace AND relkind IN ('r', 'm')"
        ).fetchall()
        found: list[str] = []
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM ims.{table} t".encode()).fetchall()  # noqa: S608 - names from the catalogue
            found += [str(row[0]) for row in rows]
    assert len(found) > ISSUES
    return found


async def test_a_tracker_that_refuses_everything_is_left_alone_and_nothing_counts_as_failed(
    crawl: Crawl, tracker: StandIn
) -> None:
    answered = 0
    banned = False

    def refused(request: Request) -> bool:
        nonlocal answered, banned
        answered += request.path == ISSUE
        banned = answered > 25
        return banned and request.path in (ISSUE, SEARCH)

    ordinary = tracker._site.answer
    answer_instead(
        tracker, refused, lambda request: html("<html><body><h1>Are you human?</h1></body></html>")
    )
    status, document, complaint = await crawl()
    crawl.check(status, document)
    assert status == 5
    assert "locked this account" in complaint
    assert "resume" in complaint
    assert document["failed_issues"] == 0
    assert answered < 25 + 2 * STREAK  # the others were not asked for
    tracker._site.answer = ordinary  # type: ignore[method-assign] # it lets us in again
    resumed, document, _ = await crawl.run("resume", str(document["session_uuid"]), "--json")
    assert resumed == 0
    assert document["issues_crawled"] == ISSUES


async def test_issues_that_an_account_may_not_see_are_passed_over_however_many(
    crawl: Crawl, tracker: StandIn
) -> None:
    hidden = set(map(str, tracker.world.numbers()[5 : 5 + 2 * STREAK]))
    answer_instead(
        tracker,
        lambda request: request.path == ISSUE and request.param("issueId") in hidden,
        lambda request: Answer(status=403, body=b"not yours"),
    )
    status, document, complaint = await crawl()
    crawl.check(status, document)
    assert status == 4, complaint
    assert document["failed_issues"] == len(hidden)
    assert document["issues_crawled"] == ISSUES - len(hidden)
    assert document["status"] == "completed"


async def test_pages_that_all_became_unreadable_stop_the_crawl(crawl: Crawl, tracker: StandIn) -> None:
    answer_instead(
        tracker,
        lambda request: request.path == ISSUE,
        lambda request: html("<html><body><main>A new look</main></body></html>"),
    )
    status, document, complaint = await crawl()
    crawl.check(status, document)
    assert status == 5
    assert "layout" in complaint
    assert "quarantine" in complaint
    assert STREAK <= document["failed_issues"] < ISSUES, complaint

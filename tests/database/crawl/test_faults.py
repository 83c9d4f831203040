"""A database that goes away, answers late or refuses, in mid-crawl: what is stored is the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crawler.sources.ims.standin import StandIn
from db.crawl.frontier import mark
from db.crawl.transaction import UserTransactions
from db.errors import DatabaseUnreachable, FenceLost
from pipeline import bootstrap
from pipeline.bootstrap import Program
from pipeline.sessions import whole_session
from pipeline.sessions.crawl_session import take_over
from pipeline.sessions.left_over import left_over
from pipeline.stages import batch_policy, load, search
from tests.fixtures.crawl import Crawler
from tests.fixtures.database import Server, libpq_url
from tests.fixtures.schema import ALICE, Database, fresh_database
from tests.fixtures.stored_rows import Rows, difference, stored_rows

pytestmark = pytest.mark.xdist_group("faults")


@dataclass(frozen=True)
class Desk:
    """Where the tracker is."""

    url: str


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small session has many transactions."""
    monkeypatch.setattr(batch_policy, "BATCH_ISSUES", 10)
    monkeypatch.setattr(search, "GATHERED", 1)
    monkeypatch.setattr("crawler.sources.ims.request._LARGE_PAGE", 20)


@pytest.fixture
def desk(sixty_issues: str) -> Any:
    return Desk(sixty_issues)


@pytest.fixture(scope="module")
def golden(
    server: Server, template: str, sixty_issues: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rows]:
    """What an undisturbed session leaves."""
    with fresh_database(server, template) as database, pytest.MonkeyPatch.context() as patched:
        home = tmp_path_factory.mktemp("golden")
        patched.setenv("DATABASE_URL", database.app_url)
        patched.setenv("IMS_HOME", str(home))
        done = asyncio.run(Crawler(database, home).crawl(Desk(sixty_issues)))  # type: ignore[arg-type] # only its address is asked for
        assert done.outcome["status"] == "completed"
        yield rows_of(database)


def rows_of(database: Database) -> Rows:
    with database.superuser() as connection:
        return stored_rows(connection)


async def disturbed_mark(
    monkeypatch: pytest.MonkeyPatch, disturb: Callable[[psycopg.AsyncConnection], Awaitable[None]]
) -> None:
    """Disturb the transaction of each batch once, when all but its last statements are done."""
    seen: set[str] = set()

    async def marked(connection: psycopg.AsyncConnection, **values: Any) -> None:
        first = min(values["outcomes"])
        if first not in seen:
            seen.add(first)
            await disturb(connection)
        await mark(connection, **values)

    monkeypatch.setattr(load, "mark", marked)


async def test_connections_that_are_killed_in_mid_batch_cost_nothing(
    crawler: Crawler, desk: Any, golden: Rows, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = 0

    async def kill(connection: psycopg.AsyncConnection) -> None:
        nonlocal killed
        killed += 1
        with database.superuser() as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])

    await disturbed_mark(monkeypatch, kill)
    done = await crawler.crawl(desk)
    assert killed > 4
    assert done.error is None
    assert difference(rows_of(database), golden) == ([], [])


class Proxy:
    """Stands between the crawl and the server, and cuts the connection at a COMMIT.

    Args:
        server: a libpq connection string.
        late: false: the COMMIT never arrives; true: it does, its answer does not.
    """

    def __init__(self, server: str, *, late: bool) -> None:
        self._server = conninfo_to_dict(server)
        self._late = late
        self._turn = 0
        self.cuts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(self._server["host"]), str(self._server.get("port") or 5432)
        if host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there = await asyncio.open_connection(host, int(port))
        back = asyncio.create_task(self._pass_on(there[0], writer))
        try:
            while data := await reader.read(1 << 16):
                if self._is_cut(data):
                    if self._late:
                        back.cancel()
                        there[1].write(data)
                        assert await there[0].read(1 << 16)  # it is committed
                    break
                there[1].write(data)
                await there[1].drain()
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for side in (there[1], writer):
                side.close()

    def _is_cut(self, data: bytes) -> bool:
        if b"COMMIT\0" not in data:
            return False
        self._turn += 1
        self.cuts += self._turn % 2
        return self._turn % 2 == 1

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def cut_off(crawler: Crawler, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The crawl's own connections go through the proxy."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    direct = libpq_url(crawler.database.app_url)
    conninfo = make_conninfo(direct, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
    run_within = Program.run_within

    async def through(self: Program, *arguments: Any) -> Any:
        return await run_within(replace(self, conninfo=conninfo), *arguments)

    monkeypatch.setattr(bootstrap.Program, "run_within", through)
    async with server:
        yield


@pytest.mark.parametrize("late", [False, True], ids=["lost before", "in doubt"])
async def test_a_commit_that_nobody_answers_is_done_once(
    crawler: Crawler,
    desk: Any,
    golden: Rows,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    late: bool,
) -> None:
    proxy = Proxy(libpq_url(database.app_url), late=late)
    async with cut_off(crawler, proxy, monkeypatch):
        done = await crawler.crawl(desk)
    assert proxy.cuts > 4
    assert done.error is None
    assert difference(rows_of(database), golden) == ([], [])


async def test_the_tracker_is_asked_once_whatever_becomes_of_a_commit(
    crawler: Crawler, desk: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = await crawler.crawl(desk)
    async with cut_off(crawler, Proxy(libpq_url(database.app_url), late=True), monkeypatch):
        cut = await crawler.crawl(desk)
    asked = dict(crawler.rows("SELECT session_id, requests FROM ims.crawl_sessions"))
    assert asked[cut.lease.session_id] == asked[calm.lease.session_id]


async def test_a_database_that_becomes_read_only_ends_the_session_with_a_sentence_and_it_is_resumed(
    crawler: Crawler, desk: Any, golden: Rows, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = 0

    async def refuse(connection: psycopg.AsyncConnection) -> None:
        nonlocal done
        done += 1
        if done == 3:
            await connection.execute("SET LOCAL transaction_read_only = on")

    await disturbed_mark(monkeypatch, refuse)
    stopped = await crawler.crawl(desk)
    assert isinstance(stopped.error, DatabaseUnreachable)
    assert "read-only" in str(stopped.error)
    assert stopped.outcome["status"] == "failed"
    assert stopped.outcome["issues_new"] == 20
    resumed = await crawler.resume(desk, stopped.lease.session_uuid)
    assert resumed.outcome["status"] == "completed"
    rows = rows_of(database)
    rows["session_errors"].clear()  # tells of the stop
    assert difference(rows, golden) == ([], [])


async def test_a_database_that_is_read_only_from_the_start_is_a_sentence(
    crawler: Crawler, desk: Any, database: Database
) -> None:
    crawler.tracker(desk)
    with database.superuser() as superuser:
        superuser.execute(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(DatabaseUnreachable, match="read-only"):
        await crawler.crawl(desk)


async def test_a_session_that_was_taken_over_is_left_by_its_former_holder(
    crawler: Crawler, desk: Any, golden: Rows, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaken: list[Any] = []
    store = load._Batch.store

    async def overtaken_store(batch: Any) -> None:
        if not overtaken:
            overtaken.append(
                take_over(crawler.user_id, crawler.value("SELECT session_uuid FROM ims.crawl_sessions"))
            )
        await store(batch)

    monkeypatch.setattr(load._Batch, "store", overtaken_store)
    late = await crawler.crawl(desk)
    assert isinstance(late.error, FenceLost)
    assert late.outcome["issues_crawled"] == 0
    assert crawler.value("SELECT status FROM ims.crawl_sessions") == "running"
    await crawler.program.run_within(overtaken[0], crawler.tracker(desk))
    assert difference(rows_of(database), golden) == ([], [])


async def test_who_lost_a_session_learns_it_while_the_tracker_keeps_silent(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_session, "HEARTBEAT", timedelta(seconds=0.05))
    async with StandIn(synthetic=5, latency=60) as silent:
        working = asyncio.create_task(crawler.crawl(silent))
        async with asyncio.timeout(20):
            while not crawler.rows("SELECT FROM ims.crawl_sessions WHERE heartbeat_at IS NOT NULL"):  # noqa: ASYNC110 - no news come
                await asyncio.sleep(0.05)
            (uuid,) = crawler.rows("SELECT session_uuid FROM ims.crawl_sessions")[0]
            assert left_over(crawler.user_id).alive == [uuid]
            take_over(crawler.user_id, uuid)
            lost = await working
    assert isinstance(lost.error, FenceLost)


async def test_a_deadlock_is_tried_again_and_both_end(database: Database) -> None:
    conninfo = libpq_url(database.app_url)
    names = ("a", "b")
    both = asyncio.Barrier(2)
    tries: list[str] = []
    async with UserTransactions(conninfo, ALICE) as first, UserTransactions(conninfo, ALICE) as second:
        for name in names:
            await first.run(
                lambda c, name=name: c.execute(
                    "INSERT INTO ims.trackers (name, kind, base_url) VALUES (%s, 'ims', 'http://localhost')",
                    [name],
                )
            )

        async def cross(transactions: UserTransactions, order: tuple[str, ...]) -> None:
            async def work(connection: psycopg.AsyncConnection) -> None:
                tries.append(order[0])
                for name in order:
                    await connection.execute("UPDATE ims.trackers SET rate = 1 WHERE name = %s", [name])
                    if name == order[0] and len(tries) <= 2:
                        await both.wait()

            await transactions.run(work)

        await asyncio.wait_for(asyncio.gather(cross(first, names), cross(second, names[::-1])), 30)
    assert len(tries) == 3

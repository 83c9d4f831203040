"""What a host may be asked holds over all processes, and each party gets its part."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest

from crawler.process.turns import Turns
from db.crawl.host_lease import HostLease
from db.db_logins import create_personal_login
from pipeline.trackers.host_share import HostShare
from tests.fixtures.database import libpq_url
from tests.fixtures.schema import ALICE, Database

HOST = "http://127.0.0.1:1"
SECONDS = 1.5
SETTLED = 2.0  # seconds after which everybody has asked again

Fetch = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def turns_of(lease: HostLease) -> AsyncIterator[Turns]:
    """What a process has of the host."""
    async with HostShare(lease) as share, Turns(share) as turns:
        yield turns


class Bustle:
    """Processes that ask one host as fast as they may."""

    def __init__(self, database: Database) -> None:
        self.conninfo = libpq_url(database.app_url)
        self.sent: list[tuple[float, str]] = []  # when, and by which party
        self.at_once = self.most_at_once = 0

    async def ask(
        self, *parties: str, concurrency: int = 4, rate: float | None = None, seconds: float = SECONDS
    ) -> Counter[str]:
        """Let a process of each of these parties ask for a while, three requests at a time."""
        until = time.monotonic() + seconds
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for party in parties:
                lease = HostLease(self.conninfo, host=HOST, party=party, concurrency=concurrency, rate=rate)
                share = await stack.enter_async_context(turns_of(lease))
                for _ in range(3):
                    group.create_task(self._fetch(share, party, until))
        return Counter(party for moment, party in self.sent if moment > until - seconds + SETTLED)

    async def _fetch(self, share: Turns, party: str, until: float) -> None:
        while time.monotonic() < until:
            async with share.turn():
                self.sent.append((time.monotonic(), party))
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                await asyncio.sleep(0.01)
                self.at_once -= 1

    def most_in(self, seconds: float) -> int:
        """The most requests in any so long a time."""
        times = sorted(moment for moment, _ in self.sent)
        return max(sum(start <= other < start + seconds for other in times) for start in times)


@pytest.fixture
def bustle(database: Database) -> Bustle:
    """Nobody asks yet."""
    return Bustle(database)


async def test_the_rate_holds_over_all_and_is_used(bustle: Bustle) -> None:
    await bustle.ask("a", "b", "c", rate=40)
    assert bustle.most_in(1.0) <= 42
    assert len(bustle.sent) > 0.5 * 40 * (SECONDS - 0.5)


async def test_requests_at_once_hold_over_all_and_are_used(bustle: Bustle) -> None:
    counts = await bustle.ask("a", "b", concurrency=3, seconds=3.5)
    assert bustle.most_at_once == 3
    assert min(counts.values()) > 30


async def test_a_party_of_many_processes_leaves_half_to_one_of_one(bustle: Bustle) -> None:
    counts = await bustle.ask(*["scheduled"] * 3, "by hand", concurrency=4, seconds=4)
    assert counts["by hand"] > 0.3 * counts.total()


async def test_the_rate_is_shared_by_parties_too(bustle: Bustle) -> None:
    counts = await bustle.ask(*["scheduled"] * 3, "by hand", rate=40, seconds=4)
    assert counts["by hand"] > 0.3 * counts.total()
    assert bustle.most_in(1.0) <= 42


async def test_with_more_processes_than_slots_each_gets_its_turn(bustle: Bustle) -> None:
    await bustle.ask("a", "b", "c", concurrency=1)
    assert bustle.most_at_once == 1
    assert len({party for _, party in bustle.sent}) == 3


@pytest.mark.parametrize(
    ("processes", "concurrency"),
    [pytest.param(4, 1, marks=pytest.mark.long), (6, 6), pytest.param(8, 3, marks=pytest.mark.long)],
)
async def test_many_processes_of_one_party_use_the_rate(
    bustle: Bustle, processes: int, concurrency: int
) -> None:
    await bustle.ask(*["scheduled"] * processes, concurrency=concurrency, rate=20, seconds=3)
    assert bustle.most_at_once <= concurrency
    assert bustle.most_in(1.0) <= 22
    assert len(bustle.sent) > 0.5 * 20 * 3


async def test_a_pause_holds_for_the_others(bustle: Bustle) -> None:
    def lease() -> HostLease:
        return HostLease(bustle.conninfo, host=HOST, party="p", concurrency=2, rate=None)

    async with turns_of(lease()) as one, turns_of(lease()) as other:
        async with one.turn():
            one.pause(1.5)
        paused_at = time.monotonic()
        async with asyncio.timeout(5), one.turn():
            pass
        assert time.monotonic() - paused_at > 1.3
        one.pause(1.0)
        paused_at = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(_turn(one))
            await asyncio.sleep(0.2)  # within which the first one says so
            group.create_task(_turn(other))
        assert time.monotonic() - paused_at > 0.9


async def _turn(share: Turns) -> None:
    async with share.turn():
        pass


async def test_a_share_of_somebody_killed_comes_free_by_itself(database: Database) -> None:
    conninfo = libpq_url(database.app_url)
    dead = HostLease(conninfo, host=HOST, party="dead", concurrency=1, rate=None)
    assert (await dead.renew(active=1, wanted=0, pause=0)).slots == 1
    async with turns_of(HostLease(conninfo, host=HOST, party="b", concurrency=1, rate=None)) as share:
        with database.superuser() as connection:
            connection.execute("UPDATE ims_private.host_leases SET expires_at = now() - interval '1 second'")
        async with asyncio.timeout(3), share.turn():
            pass
    await dead.end()


async def test_a_personal_login_has_its_own_limits_only_and_sees_no_leases(database: Database) -> None:
    login = f"alice_{database.name}"
    with database.session(ALICE - 1) as session:
        create_personal_login(session, "alice", "made-up-word", login=login)
    conninfo = libpq_url(database.server.url(user=login, password="made-up-word", dbname=database.name))
    try:
        lease = HostLease(conninfo, host=HOST, party="p", concurrency=1, rate=0.001)
        async with asyncio.timeout(5), turns_of(lease) as share:
            async with share.turn():
                pass
            async with share.turn():
                pass
        for table in ("ims_private.host_leases", "ims_jobs.procrastinate_jobs", "ims_jobs.workers"):
            with (
                database.login(login, "made-up-word") as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(f"SELECT * FROM {table}".encode())  # noqa: S608
    finally:
        with database.superuser() as connection:
            connection.execute(f"DROP ROLE {login}".encode())


async def test_what_a_killed_process_had_is_free_at_once(database: Database) -> None:
    conninfo = libpq_url(database.app_url)
    killed = HostLease(conninfo, host=HOST, party="killed", concurrency=2, rate=None)
    assert (await killed.renew(active=0, wanted=0, pause=0)).slots == 2
    heir = HostLease(conninfo, host=HOST, party="heir", concurrency=2, rate=None)
    assert (await heir.renew(active=0, wanted=0, pause=0)).slots == 0
    assert killed._connection is not None
    killed._connection.pgconn.finish()  # as the operating system does for the dead
    async with asyncio.timeout(3):  # the lease itself would last for five seconds
        while (await heir.renew(active=0, wanted=0, pause=0)).slots < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await heir.end()

"""A share of a host is granted in bounded time and never more than its limits, by a clock of our own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.crawl.host_lease import Grant
from db.queries import statements
from tests.fixtures.schema import Database

LASTING = 5.0  # seconds of a lease
SLOWEST = 1 / 3600  # requests a second

# Stands before the server's own clock on the function's search_path.
OWN_CLOCK = """
CREATE SCHEMA driven;
CREATE TABLE driven.clock (now timestamptz NOT NULL);
INSERT INTO driven.clock VALUES ('2026-01-01 00:00+00');
CREATE FUNCTION driven.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
AS 'SELECT now FROM driven.clock';
GRANT USAGE ON SCHEMA driven TO ims_owner, ims_app;
GRANT SELECT ON driven.clock TO ims_owner;
ALTER FUNCTION ims.renew_host_lease SET search_path = driven, pg_catalog, pg_temp;
"""


@dataclass(frozen=True)
class Process:
    """A process that asks a host, and what becomes of it."""

    party: str
    at_once: int
    rate: float | None
    wish: int  # requests that always wait in it
    fate: str = "asks"  # or: stopped, killed; both after it got a share
    age: float = 0.0  # seconds ago that it asked for the first time
    lease: UUID = field(default_factory=uuid4)


@dataclass
class Host:
    """A host whose leases run by a clock that the test drives."""

    connection: psycopg.Connection
    name: str = ""
    now: float = 0.0

    def begin(self) -> None:
        """Turn to another host, whom nobody has asked yet."""
        self.name = f"http://{uuid4()}"

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.connection.execute("UPDATE driven.clock SET now = now + make_interval(secs => %s)", (seconds,))

    def renew(self, process: Process, *, active: int = 0, wanted: int = 0, pause: float = 0) -> Grant:
        """Ask as a process."""
        row = self.connection.execute(
            statements("hosts")["renew"],
            {
                "lease": process.lease,
                "host": self.name,
                "party": process.party,
                "at_once": process.at_once,
                "a_second": process.rate,
                "active": active,
                "wanted": wanted,
                "pause": pause,
            },
        ).fetchone()
        assert row is not None
        return Grant._make(row)

    def kill(self, process: Process) -> None:
        """Take its connection from a process."""
        self.connection.execute(
            "UPDATE ims_private.host_leases SET backend = 0 WHERE lease = %s", (process.lease,)
        )


@pytest.fixture
def host(database: Database) -> Iterator[Host]:
    """Nobody asks it yet."""
    with database.superuser() as connection:
        connection.execute(OWN_CLOCK.encode())
        made = Host(connection)
        made.begin()
        yield made


class Run:
    """Processes that ask a host as a crawl does: as soon as they have a slot and no moment left."""

    def __init__(self, host: Host, processes: list[Process], *, takes: float, seed: int) -> None:
        self.host = host
        self.takes = takes  # seconds that a request takes
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.processes = processes
        self.asking = [process for process in processes if process.fate == "asks"]
        self.slots: dict[UUID, int] = {process.lease: 0 for process in processes}
        self.unsent: dict[UUID, list[float]] = {process.lease: [] for process in processes}
        self.ends: dict[UUID, list[float]] = {process.lease: [] for process in processes}  # of requests
        self.expires: dict[UUID, float] = {}
        self.last_moment = float("-inf")
        self.sent: list[tuple[float, UUID]] = []

    @property
    def living(self) -> list[Process]:
        """Those whose limits hold now."""
        return [one for one in self.processes if self.expires.get(one.lease, float("-inf")) >= self.host.now]

    def join(self) -> None:
        """Let all ask for the first time, the oldest first; some are never heard of again."""
        ordered = sorted(self.processes, key=lambda one: -one.age)
        for process, following in zip(ordered, [*ordered[1:], None], strict=True):
            self._ask(process, wanted=0)
            if process.fate == "killed":
                self.host.kill(process)
                self.expires[process.lease] = float("-inf")
            self.host.wait(process.age - (following.age if following else 0))

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass, and everybody who asks do so once."""
        self.host.wait(seconds)
        for process in self.random.sample(self.asking, len(self.asking)):
            self._send(process)
            if not self.unsent[process.lease] or self.random.random() < 0.2:
                self._ask(process, wanted=0 if self.unsent[process.lease] else process.wish)
                self._send(process)
        active = sum(self._active(process) for process in self.asking)
        assert active <= min((one.at_once for one in self.living), default=active)

    def _active(self, process: Process) -> int:
        self.ends[process.lease] = [end for end in self.ends[process.lease] if end > self.host.now]
        return len(self.ends[process.lease])

    def _send(self, process: Process) -> None:
        """Send what is due: a moment that no slot was free for is lost."""
        unsent = self.unsent[process.lease]
        while unsent and unsent[0] <= self.host.now:
            unsent.pop(0)
            if self._active(process) < self.slots[process.lease]:
                self.ends[process.lease].append(self.host.now + self.takes)
                self.sent.append((self.host.now, process.lease))

    def _ask(self, process: Process, *, wanted: int) -> None:
        active = self._active(process)
        if self.unsent[process.lease] and active < self.slots[process.lease]:
            active += 1  # a slot is held for the moment that is waited for
        grant = self.host.renew(process, active=active, wanted=wanted)
        self.expires[process.lease] = self.host.now + LASTING
        self.slots[process.lease] = max(grant.slots, active)
        rate = min((one.rate for one in self.living if one.rate is not None), default=None)
        assert grant.spacing == (None if rate is None else pytest.approx(1 / max(rate, SLOWEST)))
        if grant.moments:
            assert grant.spacing is not None
            assert grant.start_in is not None
            assert 0 <= grant.start_in <= LASTING
            start = self.host.now + grant.start_in
            assert start - self.last_moment >= grant.spacing - 1e-5
            self.last_moment = start + (grant.moments - 1) * grant.spacing
            assert self.last_moment - start <= 0.5
            self.unsent[process.lease] = [start + number * grant.spacing for number in range(grant.moments)]


rates = st.floats(-2, 3).map(lambda power: 10.0**power)
processes = st.builds(
    Process,
    party=st.sampled_from("abc"),
    at_once=st.integers(1, 8),
    rate=st.none() | rates,
    wish=st.integers(0, 20),
    fate=st.sampled_from(["asks", "asks", "asks", "stopped", "killed"]),
    age=st.floats(0, 10),
)
who_asks = st.builds(
    Process, party=st.sampled_from("abc"), at_once=st.integers(1, 8), rate=rates, wish=st.just(3)
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    one=who_asks,
    others=st.lists(processes, max_size=39),
    takes=st.floats(0, 2),
    seed=st.integers(0, 2**16),
)
def test_somebody_gets_a_turn_in_bounded_time_and_nobody_more_than_the_limits(
    host: Host, one: Process, others: list[Process], takes: float, seed: int
) -> None:
    host.begin()
    everybody = [one, *others]
    run = Run(host, everybody, takes=takes, seed=seed)
    run.join()
    spacing = max(1 / process.rate for process in everybody if process.rate is not None)
    tick = min(max(spacing / 4, 0.05), 4.0)
    bound = spacing + 3 * LASTING + 2 * takes + 4 * tick
    since = host.now
    while len(run.sent) < 3:
        run.pass_time(tick)
        assert host.now - (run.sent[-1][0] if run.sent else since) <= bound


def test_a_tiny_rate_binds_others_only_as_long_as_its_lease(host: Host) -> None:
    tiny = Process(party="a", at_once=4, rate=1e-9, wish=1)
    other = Process(party="b", at_once=4, rate=10.0, wish=1)
    assert host.renew(tiny, wanted=1).moments == 1
    assert host.renew(other).slots == 0
    assert host.renew(tiny).slots == 2
    refused = host.renew(other, wanted=1)
    assert (refused.slots, refused.moments) == (2, 0)
    assert refused.start_in == pytest.approx(3600)
    host.kill(tiny)
    grant = host.renew(other, wanted=1)
    assert grant.moments == 1
    assert grant.start_in == pytest.approx(0.1)


def test_a_moment_far_ahead_that_an_older_program_handed_out_is_forgotten(host: Host) -> None:
    process = Process(party="a", at_once=1, rate=10.0, wish=1)
    host.renew(process)
    host.connection.execute(
        "UPDATE ims_private.hosts SET next_at = '2090-01-01' WHERE host = %s", (host.name,)
    )
    host.renew(process, wanted=1)
    host.wait(4)
    assert host.renew(process, wanted=1).moments == 1


@pytest.mark.parametrize("rate", [1e-300, 1e300, float("inf"), float("nan"), -1.0, 0.0, 5e-324])
@pytest.mark.parametrize("pause", [0.0, -1.0, 1e300, float("nan"), float("inf")])
def test_no_number_stops_a_host_for_good(host: Host, rate: float, pause: float) -> None:
    odd = Process(party="a", at_once=-5, rate=rate, wish=1)
    grant = host.renew(odd, wanted=2**31 - 1, pause=pause)
    assert grant.slots == 1
    assert 0 <= grant.paused <= 3600
    assert grant.spacing is None or 0 < grant.spacing <= 3600
    host.kill(odd)
    host.wait(3600)
    assert host.renew(Process(party="b", at_once=1, rate=1.0, wish=1), wanted=1).moments == 1

"""The database's share of a host, handed to a tracker process (:mod:`crawler.process.turns`).

The database hands out shares by its own clock (:mod:`db.crawl.host_lease`): a crawl without a rate costs it
one short statement a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import psycopg

from crawler.process.messages import Grant
from db.crawl.host_lease import Grant as HostGrant
from db.crawl.host_lease import HostLease
from db.errors import DatabaseUnreachable
from pipeline.sessions.watchdog import Wait

_SOON = 2.0  # seconds in which the database mostly answers
PAUSE = Wait("the end of a pause that the tracker asked for", ends=True)
_TURN = Wait("its turn at the tracker's host, which other sessions or its rate limit hold up", ends=True)
OUTAGE = 60.0  # seconds for which a database that is away is waited for


class HostShare:
    """A lease of a host, as a tracker process asks for it; an async context manager.

    Args:
        lease: of the host.
    """

    def __init__(self, lease: HostLease) -> None:
        self._lease = lease
        self.on_nothing: Callable[[], None] | None = None  # called when no part of the host was to be had
        self._away_since: float | None = None
        self._asked_at: float | None = None  # the share is being asked for since then
        self._lacks: Wait | None = None  # what there was none of in the last share
        self._moments_until = 0.0  # until then there are moments to come, by the monotonic clock
        self.is_unlimited = False  # a personal login shares nothing

    @property
    def wait(self) -> Wait | None:
        """What keeps the process from sending a request; None: nothing that is known here."""
        now = time.monotonic()
        asked_at = self._away_since or self._asked_at
        if asked_at is not None and now - asked_at > _SOON:
            return Wait("the database")
        if self._lacks is not None:
            return self._lacks
        return _TURN if now < self._moments_until else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lease.end()

    async def renew(self, *, active: int, wanted: int, pause: float) -> Grant | None:
        """Get the share of the next second; None while the database is away.

        Raises:
            DatabaseUnreachable: it has been away for too long.
        """
        self._asked_at = time.monotonic()
        try:
            grant = await self._lease.renew(active=active, wanted=wanted, pause=pause)
        except psycopg.errors.InsufficientPrivilege:
            self.is_unlimited = True
            return Grant(slots=0, unlimited=True)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            now = time.monotonic()
            self._away_since = self._away_since or now
            if now - self._away_since > OUTAGE:
                raise DatabaseUnreachable(
                    "The database did not answer in time: start it, then resume the session."
                ) from error
            return None
        finally:
            self._asked_at = None
        self._away_since = None
        if grant.slots == 0 and self.on_nothing is not None:
            self.on_nothing()
        self._lacks = None if active else _lacks(grant, wanted)
        if grant.moments and grant.spacing is not None:
            self._moments_until = (
                time.monotonic() + (grant.start_in or 0.0) + (grant.moments - 1) * grant.spacing
            )
        return Grant(
            slots=grant.slots,
            start_in=grant.start_in,
            moments=grant.moments,
            spacing=grant.spacing,
            paused=grant.paused,
        )

    async def give_back(self) -> None:
        """Give the share back; it may be asked for again."""
        await self._lease.give_back()


def _lacks(share: HostGrant, wanted: int) -> Wait | None:
    """What keeps a process that has nothing under way from sending a request."""
    if share.paused > 0:
        return PAUSE
    if share.slots == 0 or (wanted > 0 and share.spacing is not None and share.moments == 0):
        return _TURN
    return None

"""When a schedule comes due."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from crawler.errors import UsageError

_FIELDS = 5


def check(cron: str, timezone: str) -> None:
    """Make sure that a schedule comes due some time.

    Raises:
        UsageError: the expression cannot be read or never comes due, or there is no such time zone.
    """
    next_time(cron, timezone, datetime.now(UTC))


def next_time(cron: str, timezone: str, after: datetime) -> datetime:
    """The first moment after a given one, in UTC.

    A time of day that the clocks skip comes when they have been put forward, one that they repeat comes once;
    an expression that begins its minute or hour with a star goes by real time.

    Args:
        cron: minute, hour, day of the month, month, day of the week.
        timezone: an IANA name; the expression is about its wall clock.
        after: an aware time.

    Raises:
        UsageError: as for :func:`check`.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"There is no time zone {timezone!r}: use an IANA name such as Asia/Seoul."
        ) from error
    if len(cron.split()) != _FIELDS:
        raise UsageError(_unreadable(cron))
    try:
        found = next(CronSim(cron, after.astimezone(zone)))
    except CronSimError as error:
        raise UsageError(_unreadable(cron)) from error
    except StopIteration as error:
        raise UsageError(f"{cron!r} never comes due: there is no such day.") from error
    return found.astimezone(UTC)


def _unreadable(cron: str) -> str:
    return (
        f"{cron!r} is no cron expression: write minute, hour, day of the month, month and day of the week, "
        "such as '0 2 * * *' for every night at two."
    )

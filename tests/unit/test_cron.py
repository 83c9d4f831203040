"""When a schedule comes due: by the wall clock of its zone, once a period, and not at all for nonsense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.errors import UsageError
from pipeline.jobs.cron import check, next_time


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        ("0 2 * * *", "UTC", "2026-11-21T01:59:59", "2026-11-21T02:00"),
        ("0 2 * * *", "UTC", "2026-11-21T02:00:00", "2026-11-22T02:00"),
        ("0 2 * * *", "Asia/Seoul", "2026-11-21T00:00", "2026-11-21T17:00"),
        ("30 9 * * MON", "Europe/Berlin", "2026-11-21T00:00", "2026-11-23T08:30"),
        ("0 0 29 2 *", "UTC", "2026-11-21T00:00", "2028-02-29T00:00"),
        # the night in which Berlin has no half past two, and the one that has two
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_it_is_due_by_the_wall_clock_of_its_zone(cron: str, zone: str, after: str, due: str) -> None:
    assert next_time(cron, zone, at(after)) == at(due)


def test_every_five_minutes_goes_on_through_a_repeated_hour() -> None:
    moment = at("2026-10-25T00:00")
    for _ in range(40):
        following = next_time("*/5 * * * *", "Europe/Berlin", moment)
        assert following - moment == timedelta(minutes=5)
        moment = following


@pytest.mark.parametrize(
    "cron", ["", "nonsense", "61 * * * *", "* * * *", "* * * * * *", "0 0 31 2 *", "@daily"]
)
def test_what_is_no_cron_is_told_in_a_sentence(cron: str) -> None:
    with pytest.raises(UsageError) as told:
        check(cron, "UTC")
    assert repr(cron) in str(told.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "/etc/passwd", "../UTC", "Asia"])
def test_a_zone_that_does_not_exist_is_told_in_a_sentence(zone: str) -> None:
    with pytest.raises(UsageError, match="There is no time zone"):
        check("0 2 * * *", zone)

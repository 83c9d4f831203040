"""Dates of HTML trackers."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.dates import parse_date

SEOUL = ZoneInfo("Asia/Seoul")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize("separator", "-/.")
@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("", datetime(2026, 1, 4, 15, tzinfo=UTC)),
        (" 09:30", datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
        (" 09:30:15", datetime(2026, 1, 5, 0, 30, 15, tzinfo=UTC)),
    ],
)
def test_each_form_is_read_in_the_servers_zone(separator: str, clock: str, expected: datetime) -> None:
    assert parse_date(f" 2026{separator}01{separator}05{clock} ", SEOUL) == expected


@pytest.mark.parametrize(
    "day",
    [
        "2026-01-05",
        "2026/1/5",
        "2026. 01. 05",
        "2026. 1. 5.",
        "20260105",
        "2026년 1월 5일",
        "2026年01月05日",
        "Jan 5, 2026",
        "January 05 2026",
        "5 Jan 2026",
        "05-Jan-2026",
    ],
)
@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("", "2026-01-04T15:00"),
        (" (월)", "2026-01-04T15:00"),
        (" 15:20", "2026-01-05T06:20"),
        (" (월) 15:20", "2026-01-05T06:20"),
        (" 월요일 오후 3:20", "2026-01-05T06:20"),
        ("(月) 午後3時20分", "2026-01-05T06:20"),
        ("(月曜日) 15時20分00秒", "2026-01-05T06:20"),
        (" 오후 3시 20분", "2026-01-05T06:20"),
        (" 오후 15:20", "2026-01-05T06:20"),
        (" 3:20 PM", "2026-01-05T06:20"),
        (" 03:20:00 p.m.", "2026-01-05T06:20"),
        (" 오전 12:10", "2026-01-04T15:10"),
        (" 오후 12:10", "2026-01-05T03:10"),
        (" 15:20 (KST)", "2026-01-05T06:20"),
        (" 15:20:00 JST", "2026-01-05T06:20"),
        (" Mon 15:20:00.0", "2026-01-05T06:20"),
        ("T15:20:00Z", "2026-01-05T15:20"),
        ("T15:20:00.123+02:00", "2026-01-05T13:20"),
        (" 15:20 -0500", "2026-01-05T20:20"),
        (" 15:20 GMT+9", "2026-01-05T06:20"),
        (" 15:20 UTC", "2026-01-05T15:20"),
        (" 24:00", "2026-01-05T15:00"),
        (" 24:00:00", "2026-01-05T15:00"),
    ],
)
def test_a_date_is_read_as_people_write_it(day: str, clock: str, expected: str) -> None:
    assert parse_date(day + clock, SEOUL) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_zone_that_the_servers_own_is_called_holds() -> None:
    read = parse_date("Mon Jan 05 2026 10:00:00 EST", NEW_YORK)
    assert read == datetime(2026, 1, 5, 15, tzinfo=UTC)
    assert parse_date("2026-01-05 10:00 EST", SEOUL) is None


def test_a_weekday_may_come_first() -> None:
    assert parse_date("Monday, 2026-01-05 15:20", SEOUL) == datetime(2026, 1, 5, 6, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "-",
        "1 minute ago",
        "26-01-05",
        "0000-00-00",
        "10000-01-01",
        "1969-12-31",
        "2101-01-01",
        "2026-02-30",
        "2026-13-01",
        "2026-01/05",
        "2026-01-05 25:00",
        "2026-01-05 10:60",
        "2026-01-05 and more",
        "٢٠٢٦-٠١-٠٥",
        "2026010",
        "202601055",
        "20261305",
        "2026-01-05 10:00 오전 오후",
        "2026-01-05 오전",
        "2026-01-05 오전 13:00",
        "2026-01-05 24:01",
        "2026-01-05 10:00 XYZ",
        "2026-01-05 2026-01-06",
        "2026-01-05 10:00 11:00",
        "2026-01-05 10:00 +99:00",
        "2026年13月1日",
        "Foo 5, 2026",
        "(월)",
    ],
)
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert parse_date(text, SEOUL) is None


def test_a_time_that_the_clocks_skipped_is_taken_as_if_they_had_not() -> None:
    assert parse_date("2026-03-08 02:30", NEW_YORK) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_of_a_time_that_came_twice_the_first_is_meant() -> None:
    assert parse_date("2026-11-01 01:30", NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 12, 30)))
def test_every_second_of_a_century_is_read_back(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    read = parse_date(moment.strftime("%Y-%m-%d %H:%M:%S"), ZoneInfo("UTC"))
    assert read == moment.replace(tzinfo=UTC)


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert parse_date(text, NEW_YORK) is None or parse_date(text, NEW_YORK).tzinfo is UTC


@given(
    st.datetimes(datetime(1960, 1, 1), datetime(2110, 1, 1)), st.sampled_from(["Asia/Seoul", "Europe/Paris"])
)
def test_the_short_way_gives_what_the_long_one_does(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    plain = f"{moment:%Y-%m-%d %H:%M:%S}" if moment.year >= 1000 else ""
    assert (
        parse_date(plain, zone) == parse_date(f"{plain} ", zone) == parse_date(plain.replace("-", "/"), zone)
    )

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
        "20260105",
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

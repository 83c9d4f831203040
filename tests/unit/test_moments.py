"""Times and spans are read as people type them, in options as in questions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import UsageError
from pipeline.search.moments import read_moment, read_span

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # a Wednesday


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-01-31", at(2026, 1, 31), at(2026, 2, 1)),
        ("2026/01/31", at(2026, 1, 31), at(2026, 2, 1)),
        ("2026.1.5", at(2026, 1, 5), at(2026, 1, 6)),
        ("2026-01", at(2026, 1, 1), at(2026, 2, 1)),
        ("2025", at(2025, 1, 1), at(2026, 1, 1)),
        ("2026-01-31T08:30", at(2026, 1, 31, 8, 30), at(2026, 1, 31, 8, 30)),
        ("2026-01-31T08:30+09:00", at(2026, 1, 30, 23, 30), at(2026, 1, 30, 23, 30)),
        ("today", at(2026, 3, 18), at(2026, 3, 19)),
        ("Yesterday", at(2026, 3, 17), at(2026, 3, 18)),
        ("어제", at(2026, 3, 17), at(2026, 3, 18)),
        ("先週", at(2026, 3, 9), at(2026, 3, 16)),
        ("last week", at(2026, 3, 9), at(2026, 3, 16)),
        ("지난달", at(2026, 2, 1), at(2026, 3, 1)),
        ("7d", at(2026, 3, 11), at(2026, 3, 11)),
        ("2 weeks ago", at(2026, 3, 4), at(2026, 3, 4)),
        ("3mo", at(2025, 12, 18), at(2025, 12, 18)),
        ("1y", at(2025, 3, 18), at(2025, 3, 18)),
        ("12h", at(2026, 3, 18, 3, 30), at(2026, 3, 18, 3, 30)),
    ],
)
def test_a_time_is_a_moment(text: str, start: datetime, end: datetime) -> None:
    assert read_moment(text, now=NOW) == start
    assert read_moment(text, end=True, now=NOW) == end


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-01-01..2026-01-31", at(2026, 1, 1), at(2026, 2, 1)),
        ("2026/01/01 .. yesterday", at(2026, 1, 1), at(2026, 3, 18)),
        ("7d..", at(2026, 3, 11), None),
        ("7d", at(2026, 3, 11), None),
        ("..2026-01", None, at(2026, 2, 1)),
        ("yesterday", at(2026, 3, 17), at(2026, 3, 18)),
        ("2026-02", at(2026, 2, 1), at(2026, 3, 1)),
    ],
)
def test_a_span_is_two_moments(text: str, first: datetime | None, last: datetime | None) -> None:
    assert read_span(text, now=NOW) == (first, last)


@pytest.mark.parametrize("text", ["", "x", "2026-02-30", "30m", "..", "2026-02-01..2026-01-01", "a..b"])
def test_what_is_no_span_is_refused_with_a_way_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match=r"write"):
        read_span(text, now=NOW)


@given(
    st.text(max_size=30) | st.from_regex(r"\A[0-9]{1,6}(h|d|w|mo|y)\Z") | st.from_regex(r"\A[0-9./-]{1,12}\Z")
)
def test_any_text_is_a_moment_or_a_sentence(text: str) -> None:
    try:
        moment = read_moment(text, now=NOW)
    except UsageError:
        return
    assert moment is not None
    assert moment.utcoffset() is not None


@given(st.dates(min_value=datetime(1971, 1, 1).date(), max_value=datetime(2099, 1, 1).date()))
def test_a_day_is_the_same_however_it_is_written(day: datetime) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for mark in "-/.":
        text = f"{day:%Y}{mark}{day:%m}{mark}{day:%d}"
        assert read_span(text, now=NOW) == (midnight, midnight + timedelta(days=1))

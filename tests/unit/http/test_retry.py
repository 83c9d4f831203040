"""When to ask again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import ItemError, TrackerError
from crawler.http.retry import RetryableError, retry, wanted_pause
from tests.fixtures.virtualtime import VirtualTime

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 12 "}, 12),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "301"}, 300),
        ({"retry-after": "٣"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=9), usegmt=True)}, 9),
        ({"retry-after": "Sun, 01 Mar 2026 21:00:09 +0900"}, 9),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:09"}, 9),
        ({"retry-after": format_datetime(NOW - timedelta(days=9), usegmt=True)}, 0),
        ({"retry-after": "Sun, 01 Mar 9999 12:00:09 GMT"}, 300),
        ({"retry-after": "Mon, 01 Jan 0101 00:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 31 Feb 2026 00:00:00 GMT"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2300"}, None),
        # A tracker whose clock is wrong means its own time.
        ({"retry-after": "Mon, 01 Jan 2001 00:00:07 GMT", "date": "Mon, 01 Jan 2001 00:00:00 GMT"}, 7),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW.timestamp() + 1800:.0f}"}, 1800),
        ({"ratelimit-remaining": "0", "ratelimit-reset": f"{NOW.timestamp() - 5:.0f}"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999"}, 3600),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "99999999999"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-03-01T12:30Z"}, 1800),
        ({"x-ratelimit-remaining": "9", "x-ratelimit-reset": "2026-03-01T12:30Z"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2024-13-99T99:99Z"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
        ({"ratelimit-remaining": "0", "ratelimit-reset": f"{NOW.timestamp() + 7:.0f}000"}, 7),
        ({"ratelimit-remaining": "0", "ratelimit-resettime": "Sun, 01 Mar 2026 12:00:09 GMT"}, 9),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "Sun, 01 Mar 2026 12:00:09 GMT"}, 9),
    ],
)
def test_what_a_tracker_says_about_waiting_is_understood(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert wanted_pause(headers, NOW) == seconds


@given(
    st.dictionaries(
        st.sampled_from(
            ["retry-after", "date", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-resettime"]
        ),
        st.text(max_size=120)
        | st.integers().map(str)
        | st.datetimes().map(lambda moment: format_datetime(moment.replace(tzinfo=UTC)))
        | st.from_regex(r"[0-9]{1,5000}", fullmatch=True),
    )
)
def test_whatever_it_says_the_pause_is_sensible(headers: dict[str, str]) -> None:
    pause = wanted_pause(headers, NOW)
    assert pause is None or 0 <= pause <= 3600


@given(st.integers(0, 10**40))
def test_seconds_are_taken_at_their_word_up_to_the_cap(seconds: int) -> None:
    assert wanted_pause({"retry-after": str(seconds)}, NOW) == min(seconds, 300)


async def test_back_off_stays_within_its_budget_however_many_tries_are_allowed(
    virtual_time: VirtualTime,
) -> None:
    tried = 0

    async def fail() -> None:
        nonlocal tried
        tried += 1
        raise RetryableError("It is busy.", final=TrackerError)

    with pytest.raises(TrackerError, match=r"^It is busy\.$"):
        await retry(fail, tries=10_000, sleep=virtual_time.sleep, on_retry=lambda setback, seconds: None)
    assert 7 <= tried < 200
    assert sum(virtual_time.slept) <= 300
    assert max(virtual_time.slept) <= 60


async def test_what_is_no_setback_is_not_tried_again(virtual_time: VirtualTime) -> None:
    errors = [RetryableError("once"), ItemError("final"), ItemError("never raised")]

    async def fail() -> None:
        raise errors.pop(0)

    with pytest.raises(ItemError, match="final"):
        await retry(fail, tries=9, sleep=virtual_time.sleep, on_retry=lambda setback, seconds: None)
    assert len(virtual_time.slept) == 1

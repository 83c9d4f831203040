"""When to ask again, and how long to wait before."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from crawler.errors import CrawlError, ItemError, TemporaryError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

LONGEST_PAUSE = 300.0  # seconds; a tracker that asks for more is asked again after this
LONGEST_WINDOW = 3600.0  # seconds; GitHub and GitLab count requests by the hour and say when the hour is over
_FIRST_WAIT = 0.5  # seconds, at most; doubled at every further try
_LONGEST_WAIT = 60.0
_SHORTEST_EPOCH = 9  # digits of seconds since 1970; fewer are seconds from now
_LONGEST_EPOCH = 11  # likewise; more are milliseconds
_BUDGET = 300.0  # seconds of back-off for one request, pauses that the tracker asked for not counted


class RetryableError(TemporaryError):
    """A try that failed, with what becomes of it in the end.

    Args:
        message: one sentence.
        retry_after: seconds to wait before the next try, where the tracker said so.
        most_tries: fewer tries than usual, because waiting hardly ever helps; None: as many as usual.
        final: what is raised when the tries are used up.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        most_tries: int | None = None,
        final: type[CrawlError] = ItemError,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.most_tries = most_tries
        self.final = final


async def retry(
    attempt: Callable[[], Awaitable[T]],
    *,
    tries: int,
    sleep: Callable[[float], Awaitable[None]],
    on_retry: Callable[[RetryableError, float], None],
) -> T:
    """Try until it works: exponential back-off with full jitter, within a budget.

    Args:
        attempt: one try; raises RetryableError where another one is worth it.
        tries: how many in all.
        sleep: waits for that many seconds.
        on_retry: told before every wait why and for how many seconds.

    Raises:
        CrawlError: whatever the attempt raised, or the last setback in its final form.
    """

    try:
        return await attempt()
    except RetryableError as error:
        failed = [error]

    # The machinery costs as much as a tenth of a request, and some time to load: only when it is needed.
    from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

    async def again() -> T:
        if failed:
            raise failed.pop()
        return await attempt()

    def enough(state: RetryCallState) -> bool:
        setback = _retryable(state)
        most = tries if setback.most_tries is None else min(tries, setback.most_tries)
        return state.attempt_number >= most or state.idle_for + state.upcoming_sleep > _BUDGET

    retrying = AsyncRetrying(
        sleep=sleep,
        retry=retry_if_exception_type(RetryableError),
        wait=wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT),
        stop=enough,
        before_sleep=lambda state: on_retry(_retryable(state), state.upcoming_sleep),
        reraise=True,
    )
    try:
        return await retrying(again)
    except RetryableError as setback:
        raise setback.final(str(setback)) from setback


def _retryable(state: RetryCallState) -> RetryableError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, RetryableError):
        raise TypeError("asked about a try that did not fail")
    return error


def wanted_pause(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the tracker wants to be left alone.

    Understands Retry-After (RFC 9110, 10.2.3) in seconds or as a date. Where that is missing, the end of a
    used-up quota as GitHub (``X-RateLimit-Reset``) and GitLab (``RateLimit-Reset``, ``RateLimit-ResetTime``)
    send it: seconds or milliseconds of the epoch, seconds from now (the IETF's draft), or a date; or as Jira
    Cloud does, an ISO 8601 time to the minute.

    Args:
        headers: the answer's, with lower-case names.
        now: our own time, used where the answer has no date of its own.

    Returns:
        Seconds from 0 on, capped; None where the tracker did not say or said nothing sensible.
    """
    now = _date(headers.get("date", "")) or now
    after = headers.get("retry-after")
    if after is not None:
        return _retry_after(after.strip(), now)
    for prefix in ("x-ratelimit", "ratelimit"):
        if headers.get(f"{prefix}-remaining") == "0":
            end = headers.get(f"{prefix}-reset", "")
            pause = _until(end, now)
            if pause is None:
                pause = _until(headers.get(f"{prefix}-resettime", ""), now)
            if pause is not None:
                return pause
    return None


def _until(end: str, now: datetime) -> float | None:
    """Seconds until a quota is full again."""
    if re.fullmatch(r"[0-9]{1,13}", end):
        seconds = float(end) / 1000 if len(end) > _LONGEST_EPOCH else float(end)
        if len(end) >= _SHORTEST_EPOCH:
            seconds -= now.timestamp()
    else:
        date = _iso_date(end) or _date(end)
        if date is None:
            return None
        seconds = (date - now).total_seconds()
    return min(max(0.0, seconds), LONGEST_WINDOW)


def _iso_date(text: str) -> datetime | None:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?Z", text):
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(text)
    return None


def _retry_after(value: str, now: datetime) -> float | None:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        # int() and float() refuse or round numbers of thousands of digits, so those are not even tried.
        return min(float(value), LONGEST_PAUSE) if len(value) < 20 else LONGEST_PAUSE
    date = _date(value)
    return None if date is None else min(max(0.0, (date - now).total_seconds()), LONGEST_PAUSE)


def _date(value: str) -> datetime | None:
    if not value or len(value) > 100:
        return None
    try:
        date = parsedate_to_datetime(value)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from, down to the first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

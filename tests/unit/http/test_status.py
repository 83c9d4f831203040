"""What a status means: a right that lacks is told apart from a limit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.errors import CrawlError, Forbidden, ItemError, TrackerError
from crawler.http.retry import RetryableError
from crawler.http.status import error_for_status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JSON = {"content-type": "application/json; charset=utf-8"}
SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'


def judged(status: int, body: bytes = b"", **headers: str) -> CrawlError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_for_status(status, {**JSON, **named}, "https://api.example", NOW, body=body)


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("body", "headers", "pause"),
    [
        (SECONDARY, {}, 60),
        (SECONDARY, {"retry_after": "90"}, 90),
        (SECONDARY, {"x_ratelimit_remaining": "4000", "x_ratelimit_reset": "1772370000"}, 60),
        (b'{"message": "You have triggered an abuse detection mechanism."}', {}, 60),
        (b"{}", {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1772366460"}, 60),
    ],
)
def test_a_limit_is_waited_for_and_never_an_issues_own_fault(
    status: int, body: bytes, headers: dict[str, str], pause: float
) -> None:
    error = judged(status, body, **headers)
    assert isinstance(error, RetryableError)
    assert error.retry_after == pause
    assert status == 429 or error.final is TrackerError


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"message": "Resource not accessible by personal access token"}', {}),
        (b"{}", {"x_ratelimit_remaining": "4999", "x_ratelimit_reset": "1772370000"}),
        (b"<html>How to raise your rate limit</html>", {"content_type": "text/html"}),
    ],
)
def test_a_403_that_speaks_of_no_limit_is_a_right_that_lacks(body: bytes, headers: dict[str, str]) -> None:
    assert type(judged(403, body, **headers)) is Forbidden


def test_a_429_without_any_header_is_waited_for() -> None:
    error = judged(429, b"Retry later\n", content_type="text/plain")
    assert isinstance(error, RetryableError)
    assert error.retry_after == 60
    assert isinstance(judged(429), RetryableError)


def test_what_the_law_hides_is_hidden_and_not_gone() -> None:
    assert type(judged(451)) is Forbidden
    assert type(judged(418)) is ItemError

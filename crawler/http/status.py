"""What an answer means that is not the one that was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from crawler.errors import CrawlError, Forbidden, ItemError, NotFound, NotPermitted, TrackerError
from crawler.http.retry import RetryableError, wanted_pause

# 520 to 527 are Cloudflare's, for a server behind it that does not answer as it should.
_BUSY = frozenset({408, 425, 429, 502, 503, 504, *range(520, 528)})
_DEFECT_TRIES = 3  # a 500 of a tracker is mostly the same at every try for that issue
_UNTOLD_PAUSE = 2.0  # seconds, after a 429 that does not say for how long
_LIMIT_PAUSE = 60.0  # seconds, after a limit by its words alone; GitHub asks for a minute at least
# GitHub's words for a limit, which stand with 403 as well as with 429, and often without any header.
_LIMITED = re.compile(
    rb"rate limit|abuse detection|temporarily blocked from content creation|too many requests|retry later",
    re.IGNORECASE,
)


Forbids = Literal["denied", "limited"]


def error_for_status(
    status: int,
    headers: Mapping[str, str],
    where: str,
    now: datetime,
    *,
    body: bytes = b"",
    forbidden: Forbids = "denied",
) -> CrawlError:
    """Name the error for a status that the caller does not accept.

    Args:
        status: the answer's.
        headers: the answer's, with lower-case names.
        where: the address, as it may be shown.
        now: our own time.
        body: the answer's beginning, where it can be read.
        forbidden: what a 403 says that tells no pause.

    Returns:
        The error to raise; a RetryableError with ``retry_after`` where the whole host wants a pause.
    """
    pause = wanted_pause(headers, now)
    if pause is None and status in (403, 429) and _is_limit(headers, body):
        pause = _LIMIT_PAUSE
    if status == 429 and pause is None:
        pause = _UNTOLD_PAUSE
    # GitHub answers too many requests with 403 as well, and then says how long to wait, or says it in words.
    if status == 403 and pause is not None:
        return RetryableError(
            f"{where} refuses further requests for a while (status 403).",
            retry_after=pause,
            final=TrackerError,  # never the issue's own fault
        )
    if status in _BUSY:
        return RetryableError(f"{where} is busy and answers with status {status}.", retry_after=pause)
    if status == 500:
        return RetryableError(f"{where} fails with status 500.", most_tries=_DEFECT_TRIES)
    if status in (404, 410):
        return NotFound(f"{where} does not exist (status {status}).")
    if status == 403 and forbidden == "limited":
        # Never an issue's own fault: whoever takes it for one would bury issues that are there.
        return RetryableError(f"{where} refuses further requests (status 403).", final=TrackerError)
    if status == 403:
        return Forbidden(f"{where} is not shown to this account (status 403).")
    if status == 451:
        return Forbidden(f"{where} may not be shown for legal reasons (status 451).")
    if status == 401:
        return NotPermitted(f"{where} asks for a login that may see it (status 401).")
    return ItemError(f"{where} answers with status {status}.")


def _is_limit(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer speaks of too many requests; a page of a proxy may speak of anything."""
    is_plain = headers.get("content-type", "").partition(";")[0].strip() in ("application/json", "text/plain")
    return is_plain and _LIMITED.search(body) is not None

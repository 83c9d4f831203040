"""Retries of jobs: which errors may pass, how often and how soon a job is done again."""

from __future__ import annotations

import asyncio
import traceback

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from crawler.errors import CrawlError, ItemError, LayoutChanged, TooMuch, TrackerError
from db.errors import DatabaseError
from db.log_library import structlog
from pipeline.logs import redact
from pipeline.sessions.ending import Stopper

MAX_ATTEMPTS = 5  # of a run or chunk, before it counts as what kills its workers
FIRST_PAUSE = 5.0  # seconds before something is tried again after its tracker failed; then four times as long
LONGEST_PAUSE = 600.0
SOON = FIRST_PAUSE  # what is tried again by then, a worker waits for that does what is due and ends

log = structlog.get_logger(__name__)


class RetryLater(Exception):
    """The job is put back and done again after a while; nothing is wrong with it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class RetryOnRequest(BaseRetryStrategy):
    """A job is repeated where it asks for that, or was cancelled; any other exception ends it."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Tell when the job is to be done again; None: never."""
        if isinstance(exception, asyncio.CancelledError):  # the worker is ended at once; its work is not
            return RetryDecision(retry_in={"seconds": 0})
        if not isinstance(exception, RetryLater):
            return None
        return RetryDecision(retry_in={"seconds": round(exception.seconds)})


class Defect(CrawlError):
    """Something that should not happen, told without its details."""


def may_pass(error: Exception) -> bool:
    """Whether the same may go well in a while; a refused login does not, and asking again would lock it."""
    if isinstance(error, DatabaseError):
        return True
    return isinstance(error, TrackerError | ItemError) and not isinstance(error, LayoutChanged | TooMuch)


def pause_after(attempts: int) -> float:
    """Seconds to wait after so many attempts that failed."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** max(0, attempts - 1)))


def as_crawl_error(raised: Exception) -> Stopper:
    """An error with a sentence for the user; a defect's own words may hold what is not theirs to read."""
    if isinstance(raised, CrawlError | DatabaseError):
        return raised
    log.error("a defect", trace=redact("".join(traceback.format_exception(raised))))
    return Defect(f"This is a defect of ims-crawl: {type(raised).__name__}. The worker's log has more.")

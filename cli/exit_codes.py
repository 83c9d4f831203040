"""Which exit status an error has, and the sentence that is said about it."""

from __future__ import annotations

from crawler.errors import AccessError, CrawlError, UsageError
from db.errors import DatabaseError, DatabaseRefused, DatabaseUnfit, DatabaseUnreachable, ValueRefused

FAILED_ISSUES = 4
UNREACHABLE = 5
INTERRUPTED = 130
_OF_THE_ADDRESS = (DatabaseRefused, DatabaseUnfit, DatabaseUnreachable)


def status_of(error: BaseException) -> int | None:
    """The exit status; None: the error is a defect of ours."""
    if isinstance(error, UsageError | ValueRefused):
        return 2
    if isinstance(error, AccessError | DatabaseRefused):
        return 3
    if isinstance(error, CrawlError | DatabaseError):
        return 5
    return None


def status_of_name(name: str | None) -> int | None:
    """The exit status of an error that is known by the name of its class only."""
    import crawler.errors
    import db.errors

    kind = getattr(crawler.errors, name or "", None) or getattr(db.errors, name or "", None)
    return status_of(kind.__new__(kind)) if kind is not None else None


def sentence(error: BaseException) -> str:
    """The error's sentence, with any secret that slipped in taken out.

    Where a file says which database it is, a database's error names the file.
    """
    from db.settings import address_source
    from pipeline.logs import told

    words = told(error)
    if isinstance(error, _OF_THE_ADDRESS) and (source := address_source()) is not None:
        words += f" DATABASE_URL is from {source}."
    return words

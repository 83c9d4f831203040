"""Times as they are typed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def read_moment(text: str | None, *, end_of_day: bool = False) -> datetime | None:
    """Read a time; without a zone it is UTC.

    Args:
        text: such as ``2026-01-31`` or ``2026-01-31T08:30+09:00``; None stays None.
        end_of_day: a day without a time is its end, which is the next day's midnight.

    Raises:
        UsageError: it is no time.
    """
    from crawler.errors import UsageError

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if end_of_day and len(text) <= len("2026-01-31"):
            moment += timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is no time: write 2026-01-31 or 2026-01-31T08:30.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

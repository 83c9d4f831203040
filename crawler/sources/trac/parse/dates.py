"""When a Trac ticket was opened, changed and closed.

The script of a page tells both times that a ticket has, to the second. Without one it is the box at the top
of the page, which tells a time that is still to come (by the server's clock), and every time where the
timeline is switched off, only in words of the session's language. The history below it is exact.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from crawler.html import Node
from crawler.records import State
from crawler.sources.trac.parse.changes import Changes
from crawler.sources.trac.parse.markup import moment_of
from crawler.sources.trac.parse.script import Told, time_of
from crawler.states import state_of


class Dates(Struct, frozen=True, kw_only=True):
    """The times of one ticket, in UTC."""

    opened: datetime | None
    modified: datetime | None
    closed: datetime | None  # when it was closed last, even if it is open again
    words: str | None  # what the box says of times that could not be read


def read_dates(box: Node, changes: Changes, script: Told) -> Dates:
    """Read the times.

    Args:
        box: the element `.date`, whose first paragraph tells when the ticket was opened.
        changes: the ticket's history. New attachments do not count: to Trac they do not change a ticket.
        script: what the page's script tells.
    """
    exact = [each.commented_at for each in changes.comments]
    exact += [each.changed_at for each in changes.history if each.change_type != "attachment"]
    happened = [moment for moment in exact if moment is not None]
    created, changed = (time_of(script.values.get(name, "")) for name in ("time", "changetime"))
    if created is not None and changed is not None:
        return Dates(
            opened=created,
            modified=_latest([changed], happened, False),
            closed=_closed(changes),
            words=None,
        )
    moments = [(paragraph, moment_of(paragraph)) for paragraph in box.children()]
    opened = moments[0][1] if moments else None
    told = [moment for _, moment in moments if moment is not None]
    unread = [paragraph for paragraph, moment in moments if moment is None]
    return Dates(
        opened=opened,
        # A box with one time only is that of a ticket that nobody changed, or a theme's.
        modified=_latest(told, happened, bool(unread) or len(moments) == 1),
        closed=_closed(changes),
        words="\n".join(map(_words, unread)) or None,
    )


def _latest(told: list[datetime], exact: list[datetime], unread: bool) -> datetime | None:
    if unread:
        return max([*told, *exact], default=None)
    latest = max(told, default=None)
    return next((moment for moment in exact if moment.replace(microsecond=0) == latest), latest)


def _closed(changes: Changes) -> datetime | None:
    for record in reversed(changes.history):
        if record.field_name == "status" and state_of(record.new_value) is State.DONE:
            return record.changed_at
    return None


def _words(paragraph: Node) -> str:
    """The title of a time, which does not age as the words beside it do."""
    marked = paragraph.select_one("[title]")
    return paragraph.line() if marked is None else marked.attribute("title") or ""

"""Which of the fetched issues were asked for, where the tracker could not be told everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo

from crawler.query import Tree, matches
from crawler.records import IssueRecord, State

_OPEN = (State.OPEN, State.IN_PROGRESS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the tracker's own search did not check; with nothing set, it takes everything."""

    tree: Tree | None = None  # set where the tracker's language cannot express the whole query
    status: str | None = None  # "open", "closed", or a tracker's own word
    words: Mapping[str, str] = field(default_factory=dict)  # what the tracker's owner says of its statuses
    until: datetime | None = None  # registered before this
    reporter: str | None = None  # has this in the name
    owner: str | None = None  # likewise
    since: datetime | None = None  # changed at or after this; set where the tracker cannot tell what changed
    zone: tzinfo = UTC  # the tracker's own, in which a day without a time is its midnight

    @property
    def is_needed(self) -> bool:
        """Whether an issue could be left out at all."""
        return any((self.tree, self.status, self.until, self.since, self.reporter, self.owner))

    def refusal(self, record: IssueRecord) -> str | None:
        """Why the issue was not asked for; None: it was."""
        if self.tree is not None and not matches(self.tree, _texts(record), record.issue_id):
            return "does not match the query"
        if self.status is not None and not _has_status(record, self.status, self.words):
            return f"is not {self.status}"
        for role, wanted in (("reporter", self.reporter), ("owner", self.owner)):
            if wanted is not None and wanted.casefold() not in (getattr(record, role) or "").casefold():
                return f"has another {role} than {wanted}"
        if (
            self.until is not None
            and record.registered_date is not None
            and record.registered_date >= self.until
        ):
            return f"is newer than {self.until.date()}"
        if self.since is not None and (last := self._last_sign(record)) is not None and last < self.since:
            return f"has not changed since {self.since.date()}"
        return None

    def _last_sign(self, record: IssueRecord) -> datetime | None:
        """The end of what the issue's page tells of changes; None: it tells no time."""
        moments = [record.registered_date, record.modified_date, record.closed_date]
        moments += [comment.commented_at for comment in record.comments]
        moments += [change.changed_at for change in record.history]
        moments += [attachment.attached_at for attachment in record.attachments]
        last = max((moment for moment in moments if moment is not None), default=None)
        if last is not None and last.astimezone(self.zone).time() == time():
            return last + timedelta(days=1)  # some time of that day
        return last


def _has_status(record: IssueRecord, wanted: str, words: Mapping[str, str]) -> bool:
    state = words.get(" ".join((record.status or "").split()).lower(), record.state)
    if wanted == "open":
        return state in _OPEN
    if wanted == "closed":
        return state == State.DONE
    return (record.status or "").casefold() == wanted.casefold()


def _texts(record: IssueRecord) -> list[str]:
    texts = [record.title, record.description or "", *(comment.content for comment in record.comments)]
    texts += [value for value in record.extra.values() if isinstance(value, str)]
    texts += [attachment.filename for attachment in record.attachments]
    return texts

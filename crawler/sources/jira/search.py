"""What a page of hits means: which of them are new, and where to go on."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from crawler.errors import TrackerError
from crawler.json_document import JsonNode
from crawler.source import Reference
from crawler.sources.jira.cursor import JiraCursor
from crawler.sources.jira.query import Dates

_DEEPEST = 5000  # hits below which a Server is asked anew; some refuse to go below 10,000
_BACK = 100  # rows that are gone back over at least
FIELDS = ("created", "updated")


class Hit(Struct, frozen=True, kw_only=True):
    """One row of a list."""

    key: str
    created: datetime | None
    updated: datetime | None

    def reference(self) -> Reference:
        """As the pipeline knows it."""
        return Reference(issue_id=self.key, modified=self.updated)


class Hits(Struct, frozen=True, kw_only=True):
    """One answer to a search."""

    rows: tuple[Hit, ...]
    total: int | None = None  # of Server
    token: str | None = None  # of Cloud, where there are more
    is_refused: bool = False  # the token is not taken any more

    def after(self, last: str | None) -> tuple[Hit, ...] | None:
        """The rows behind the last one that was given; None: it is not among them."""
        for place, row in enumerate(self.rows):
            if row.key == last:
                return self.rows[place + 1 :]
        return None


class Step(Struct, frozen=True, kw_only=True):
    """What a page brought, and where to go on."""

    fresh: tuple[Hit, ...]
    place: JiraCursor | None  # None: that was the last page
    total: int | None = None  # of the whole search, where Jira counts


def read_hits(answer: JsonNode, *, is_cloud: bool) -> Hits:
    """Read an answer to a search.

    Raises:
        PageRejected: it is none.
    """
    rows = tuple(read_hit(each) for each in answer.at("issues").items())
    if not is_cloud:
        return Hits(rows=rows, total=max(answer.at("total").integer(), 0))
    token = answer.optional_text("nextPageToken") or None
    return Hits(rows=rows, token=None if answer.flag("isLast") else token)


def read_hit(issue: JsonNode) -> Hit:
    """Read an issue of which only the times were asked for."""
    fields = issue.at("fields")
    created, updated = (fields.optional_time(name) for name in FIELDS)
    return Hit(key=issue.at("key").text(), created=created, updated=updated)


def step_of_server(
    hits: Hits, place: JiraCursor, dates: Dates, size: int, *, deepest: int = _DEEPEST
) -> Step:
    """Go on in a list that is read by offsets.

    Each page begins with the last row of the one before. Where that is missing, issues have vanished behind
    us and the others have moved up, so we go back until it is found.
    """
    total = hits.total or 0
    whole = total if place.total is None else place.total
    place = replace(place, total=whole)
    fresh = hits.rows if place.last is None else hits.after(place.last)
    if fresh is None and place.start:
        return Step(fresh=(), place=replace(place, start=max(place.start - max(size, _BACK), 0)), total=whole)
    if fresh is None:
        fresh = hits.rows
    end = place.start + len(hits.rows)
    if not hits.rows or end >= total:
        return Step(fresh=fresh, place=None, total=whole)
    if end - 1 <= place.start and not fresh:
        raise TrackerError(f"Jira's list ends after {end} of {total} issues: try again later.")
    following = replace(_behind(place, hits), start=max(end - 1, 0))
    going_on = _afresh(following, dates) if following.start >= deepest else following
    return Step(fresh=fresh, place=going_on, total=whole)


def step_of_cloud(hits: Hits, place: JiraCursor) -> Step:
    """Go on in a list that is read by tokens.

    Where a token is not taken any more or repeats itself, the list is asked for anew from the last row on. A
    page may be empty and not be the last one.
    """
    if hits.is_refused:
        return Step(fresh=(), place=_anew(place))
    known = hits.after(place.last)
    fresh = hits.rows if known is None else known
    if hits.token is None:
        return Step(fresh=fresh, place=None)
    following = _behind(place, hits)
    if hits.token == place.token:
        return Step(fresh=fresh, place=_anew(following))
    return Step(fresh=fresh, place=replace(following, token=hits.token))


def _behind(place: JiraCursor, hits: Hits) -> JiraCursor:
    if not hits.rows:
        return place
    last = hits.rows[-1]
    return replace(place, last=last.key, created=last.created or place.created)


def _anew(place: JiraCursor) -> JiraCursor:
    return replace(place, token=None, until=place.created)


def _afresh(place: JiraCursor, dates: Dates) -> JiraCursor:
    """The same place in a list that begins about there; as it is where that would not be a shorter one."""
    if place.created is None:
        return place
    if place.until is not None and not (
        place.created < place.until and dates.until(place.created) != dates.until(place.until)
    ):
        return place
    return replace(place, until=place.created, start=0)

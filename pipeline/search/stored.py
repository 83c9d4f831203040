"""Searching what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from crawler.query import ParsedQuery
from db import get_session
from db.models import Issue, Tracker
from pipeline.search.filters import Filters

MOST = 10_000  # hits that ims.search_issues gives at most
_FIRST = 100  # hits to look through at first, where only some of them are wanted
_GROWTH = 8

_GIVEN = ("issue_pk", "issue_id", "title", "description", "product", "status", "rank", "snippet")
_SHOWN = ("issue_id", "tracker", "title", "product", "status", "rank", "snippet", "url")


@dataclass(frozen=True, slots=True)
class Found:
    """The hits that were asked for."""

    hits: list[dict[str, Any]]  # issue_id, tracker, title, product, status, rank, snippet, url
    more: bool = False  # there are further ones
    cut_short: bool = False  # there may be further ones, beyond those that can be looked through


def find(
    parsed: ParsedQuery,
    filters: Filters | None = None,
    *,
    wider: str | None = None,
    limit: int = 20,
    offset: int = 0,
    user_id: int | None = None,
) -> Found:
    """Search titles, descriptions, comments and attached texts; the best hits first.

    Args:
        parsed: the question; where the filters leave something open, its own hold.
        filters: which issues are wanted.
        wider: a query with other words for the same; what only it finds comes last.
        limit: at most this many hits.
        offset: leave out that many of the best ones.
        user_id: search as this user; None: as the configured one.
    """
    wanted = (filters or Filters()).within(parsed)
    needed = offset + limit + 1
    with get_session(user_id=user_id) as session:
        sought = _Sought()
        sought.take(session, parsed.text, wanted, needed)
        if wider is not None and len(sought.rows) < needed:
            sought.take(session, wider, wanted, needed)
    hits = list(sought.rows.values())
    return Found(hits[offset : offset + limit], len(hits) > offset + limit, sought.cut_short)


@dataclass(slots=True)
class _Sought:
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)  # by the issue's key, the best first
    cut_short: bool = False

    def take(self, session: Session, text: str, filters: Filters, needed: int) -> None:
        """Add a query's hits until there are enough.

        The search knows products only: of ever more hits, those that are not wanted are left out here.
        """
        condition = filters.condition()
        above = min((row["rank"] for row in self.rows.values()), default=1.0)
        asked = min(needed + len(self.rows) if condition is None else max(needed, _FIRST), MOST)
        while True:
            hits = session.execute(_hits(text, filters.product, asked, condition)).mappings().all()
            fresh = [hit for hit in hits if hit["wanted"] and hit["issue_pk"] not in self.rows]
            if len(self.rows) + len(fresh) >= needed or len(hits) < asked:
                break
            if asked == MOST:
                self.cut_short = True
                break
            asked = min(asked * _GROWTH, MOST)
        # What a wider query finds ranks below the rest, whatever it is worth among its own kind.
        for hit in fresh:
            rank = hit["rank"] * min(above, 1.0) if self.rows else hit["rank"]
            self.rows[hit["issue_pk"]] = {name: hit[name] for name in _SHOWN} | {"rank": rank}


def _hits(text: str, product: str | None, most: int, condition: ColumnElement[bool] | None) -> Select[Any]:
    hits = func.ims.search_issues(text, product, most).table_valued(*_GIVEN, with_ordinality="place")
    hits = hits.render_derived()
    return (
        select(
            hits.c.issue_pk,
            hits.c.issue_id,
            Tracker.name.label("tracker"),
            hits.c.title,
            hits.c.product,
            hits.c.status,
            hits.c.rank,
            hits.c.snippet,
            Issue.url,
            (true() if condition is None else condition).label("wanted"),
        )
        .select_from(hits)
        .join(Issue, Issue.issue_pk == hits.c.issue_pk)
        .outerjoin(Tracker, Tracker.tracker_id == Issue.tracker_id)
        .order_by(hits.c.place)
    )

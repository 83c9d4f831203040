"""Searching what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from crawler.query import ParsedQuery
from db import get_session
from db.models import Issue, Tracker, User
from pipeline.owners import OWNER
from pipeline.search.filters import Filters

MOST = 10_000  # hits that ims.search_issues gives at most

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_GIVEN = ("issue_pk", "issue_id", "title", "description", "product", "status", "rank", "snippet")
_SHOWN = ("issue_id", "tracker", "title", "product", "status", "rank", "snippet", "url")


@dataclass(frozen=True, slots=True)
class Found:
    """The hits that were asked for."""

    hits: list[dict[str, Any]]  # issue_id, tracker, title, product, status, rank, snippet, url
    more: bool = False  # there are further ones


def find(
    parsed: ParsedQuery,
    filters: Filters | None = None,
    *,
    wider: str | None = None,
    limit: int = 20,
    offset: int = 0,
    sort: str = "rank",
    user_id: int,
    everybody: bool = False,
) -> Found:
    """Search titles, descriptions and comments; the best hits first.

    Args:
        parsed: the question; where the filters leave something open, its own hold.
        filters: which issues are wanted.
        wider: a query with other words for the same; what only it finds comes last.
        limit: at most this many hits.
        offset: leave out that many of the best ones.
        sort: ``rank``, or the newest first by ``updated`` or ``created``, among the ``MOST`` best.
        user_id: search as this user.
        everybody: search everybody's issues; hits have ``owner_user`` too.
    """
    wanted = (filters or Filters()).within(parsed)
    needed = min(offset + limit + 1, MOST) if sort == "rank" else MOST
    with get_session(user_id, everybody=everybody) as session:
        hits = {hit["issue_pk"]: hit for hit in _hits(session, parsed.text, wanted, needed)}
        if wider is not None and len(hits) < needed:
            # What a wider query finds ranks below the rest, whatever it is worth among its own kind.
            above = min((hit["rank"] for hit in hits.values()), default=1.0)
            for hit in _hits(session, wider, wanted, needed + len(hits)):
                rank = hit["rank"] * min(above, 1.0) if hits else hit["rank"]
                hits.setdefault(hit["issue_pk"], {**hit, "rank": rank})
    found = list(hits.values())
    if sort != "rank":
        found.sort(key=lambda hit: hit[sort] or _LONG_AGO, reverse=True)
    names = (*_SHOWN, OWNER) if everybody else _SHOWN
    shown = [{name: hit[name] for name in names} for hit in found]
    return Found(shown[offset : offset + limit], len(shown) > offset + limit)


def _hits(session: Session, words: str, filters: Filters, most: int) -> list[dict[str, Any]]:
    given = cast(filters.for_database(), JSONB)
    found = func.ims.search_issues(words, filters.product, most, given)
    hits = found.table_valued(*_GIVEN, with_ordinality="place").render_derived()
    query = (
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
            User.username.label(OWNER),
            Issue.registered_date.label("created"),
            func.coalesce(Issue.modified_date, Issue.registered_date).label("updated"),
        )
        .select_from(hits)
        .join(Issue, Issue.issue_pk == hits.c.issue_pk)
        .join(User, User.user_id == Issue.user_id)
        .outerjoin(Tracker, Tracker.tracker_id == Issue.tracker_id)
        .order_by(hits.c.place)
    )
    return [dict(row) for row in session.execute(query).mappings()]

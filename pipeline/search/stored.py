"""Searching what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from crawler.query import ParsedQuery
from db.acting import Acting
from pipeline.owners import OWNER
from pipeline.search.filters import Filters

MOST = 10_000  # hits that ims.search_issues gives at most

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SHOWN = ("issue_id", "tracker", "title", "product", "status", "rank", "snippet", "url", "found_in")


@dataclass(frozen=True, slots=True)
class Found:
    """The hits that were asked for."""

    hits: list[dict[str, Any]]  # issue_id, tracker, title, product, status, rank, snippet, url, found_in
    more: bool = False  # there are further ones


def find(
    acting: Acting,
    parsed: ParsedQuery,
    filters: Filters | None = None,
    *,
    wider: str | None = None,
    limit: int = 20,
    offset: int = 0,
    sort: str = "rank",
    everybody: bool = False,
) -> Found:
    """Search titles, descriptions, comments and attached files; the best hits first.

    Args:
        acting: for who asks.
        parsed: the question; where the filters leave something open, its own hold.
        filters: which issues are wanted.
        wider: a query with other words for the same; what only it finds comes last.
        limit: at most this many hits.
        offset: leave out that many of the best ones.
        sort: ``rank``, or the newest first by ``updated`` or ``created``, among the ``MOST`` best.
        everybody: hits have ``owner_user`` too, for everybody's issues are searched.
    """
    wanted = (filters or Filters()).within(parsed)
    needed = min(offset + limit + 1, MOST) if sort == "rank" else MOST
    hits = {hit["issue_pk"]: hit for hit in _hits(acting, parsed.text, wanted, needed)}
    if wider is not None and len(hits) < needed:
        # What a wider query finds ranks below the rest, whatever it is worth among its own kind.
        above = min((hit["rank"] for hit in hits.values()), default=1.0)
        for hit in _hits(acting, wider, wanted, needed + len(hits)):
            rank = hit["rank"] * min(above, 1.0) if hits else hit["rank"]
            hits.setdefault(hit["issue_pk"], {**hit, "rank": rank})
    found = list(hits.values())
    if sort != "rank":
        found.sort(key=lambda hit: hit[sort] or _LONG_AGO, reverse=True)
    names = (*_SHOWN, OWNER) if everybody else _SHOWN
    shown = [{name: hit[name] for name in names} for hit in found]
    return Found(shown[offset : offset + limit], len(shown) > offset + limit)


def all_hits(acting: Acting, parsed: ParsedQuery, filters: Filters) -> list[dict[str, Any]]:
    """All hits of a question, up to ``MOST``, with their ``issue_pk``; the best first."""
    return _hits(acting, parsed.text, filters.within(parsed), MOST)


def _hits(acting: Acting, words: str, filters: Filters, most: int) -> list[dict[str, Any]]:
    wanted = {
        "words": words,
        "product": filters.product,
        "most": most,
        "filters": Jsonb(filters.for_database()),
    }
    return acting.rows("asking", "search", wanted)

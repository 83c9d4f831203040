"""The questions that were asked, and what they found."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from db import get_session
from db.models import CrawlSession, SearchQuery, Tracker
from pipeline.owners import with_owner
from pipeline.search.question import Question


def remember(user_id: int, question: Question, product: str | None, found: int) -> None:
    """Write down that what is stored was searched. An analyst, who may not write, leaves no trace.

    Args:
        user_id: who asked.
        question: what was asked.
        product: the product that it was about.
        found: how many hits were seen.
    """
    with get_session(user_id=user_id) as session:
        if session.scalar(select(func.ims.current_user_role())) == "readonly":
            return
        session.add(
            SearchQuery(
                original_query=question.original,
                parsed_query=question.parsed.text,
                query_language=question.parsed.language,
                product=product,
                results_count=found,
                parsing_method=question.parsed.method,
                parsing_confidence=question.parsed.confidence,
            )
        )


def past_questions(
    user_id: int, *, limit: int, offset: int = 0, everybody: bool = False
) -> list[dict[str, Any]]:
    """Return one's own questions, or everybody's, the newest first.

    Returns:
        ``queried_at``, ``original_query``, ``parsed_query``, ``query_language``, ``product``,
        ``results_count`` (None: not known yet), ``parsing_method``, ``parsing_confidence``; for a crawl also
        ``tracker`` and ``session_uuid``; of everybody's also ``owner_user``.
    """
    listed = (
        select(
            SearchQuery.queried_at,
            SearchQuery.original_query,
            SearchQuery.parsed_query,
            SearchQuery.query_language,
            SearchQuery.product,
            SearchQuery.results_count,
            SearchQuery.parsing_method,
            SearchQuery.parsing_confidence,
            Tracker.name.label("tracker"),
            CrawlSession.session_uuid,
        )
        .outerjoin(CrawlSession, CrawlSession.session_id == SearchQuery.session_id)
        .outerjoin(Tracker, Tracker.tracker_id == CrawlSession.tracker_id)
        .order_by(SearchQuery.queried_at.desc(), SearchQuery.query_id.desc())
        .limit(limit)
        .offset(offset)
    )
    if everybody:
        listed = with_owner(listed, SearchQuery.user_id)
    with get_session(user_id, everybody=everybody) as session:
        return [dict(row) for row in session.execute(listed).mappings()]

"""The questions that were asked, and what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.acting import Acting, acting_for
from pipeline.owners import owned

if TYPE_CHECKING:
    from pipeline.search.question import Question


def remember(acting: Acting, question: Question, product: str | None, found: int) -> None:
    """Write down that what is stored was searched. An analyst, who may not write, leaves no trace.

    Args:
        acting: for who asked.
        question: what was asked.
        product: the product that it was about.
        found: how many hits were seen.
    """
    if acting.value("asking", "only_looks", {}):
        return
    parsed = question.parsed
    asked = {
        "original": question.original,
        "parsed": parsed.text,
        "language": parsed.language,
        "product": product,
        "found": found,
        "method": parsed.method,
        "confidence": parsed.confidence,
    }
    acting.do("asking", "remember", asked)


def past_questions(
    user_id: int, *, limit: int, offset: int = 0, everybody: bool = False
) -> list[dict[str, Any]]:
    """Return one's own questions, or everybody's, the newest first.

    Returns:
        ``queried_at``, ``original_query``, ``parsed_query``, ``query_language``, ``product``,
        ``results_count`` (None: not known yet), ``parsing_method``, ``parsing_confidence``; for a crawl also
        ``tracker`` and ``session_uuid``; of everybody's also ``owner_user``.
    """
    with acting_for(user_id, everybody=everybody) as acting:
        rows = acting.rows("asking", "history", {"limit": limit, "offset": offset})
    return owned(rows, everybody=everybody)

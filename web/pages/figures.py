"""Figures: the numbers of ``stats``, and the charts and tables of ``report``, in one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from pipeline.reports.html.escaping import escaped
from pipeline.reports.html.page import sections
from pipeline.reports.html.page import words_of as report_words
from web.answers import continued
from web.counts import Count, Question
from web.shown import asked, language_of, link, page, pieces, streamed

USUAL = Question(days=30, product=None)
SPANS = (7, USUAL.days, 84, 365)
_PATIENCE = 0.02  # seconds, in which most figures are counted
_MOST = 36500


def figures(request: Request) -> Response:
    """What came, what went, what waits, as of the moment at which it was counted."""
    typed = request.query_params.get("days", "")
    days = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else USUAL.days
    question = Question(min(max(days, 1), _MOST), asked(request).get("product", "").strip() or None)
    visitor = request.state.visitor
    with visitor.asking() as acting:
        stored = acting.value("asking", "stored", {})
    kept, coming = visitor.counts.of(question, stored, visitor.asking)
    is_soon = kept is None or kept.took < _PATIENCE
    if coming is not None and coming.is_over(_PATIENCE if is_soon else 0):
        kept, coming = coming, None
    if kept is not None:
        return page(request, "figures.html", **_shown(request, kept), newer=coming is not None)
    assert coming is not None  # noqa: S101 - one of the two is there
    shown = _shown(request, coming)  # once it has begun: until then, an error is a page of its own
    return streamed(request, continued(request, pieces(request, "figures.html", **shown, newer=False)))


def _shown(request: Request, count: Count) -> dict[str, Any]:
    """What the template shows of figures, some of which may be on their way."""
    told, words = count.figures, report_words(language_of(request))
    return {
        "sums": count.sums,
        "days": count.question.days,
        "spans": SPANS,
        "product": told.product,
        "sections": (
            (heading, Markup(body or escaped(words["none"])))  # noqa: S704 - the report escapes what is in it
            for heading, body in sections(told, words, _link)
        ),
        "period": words["period"].format(since=f"{told.since:%Y-%m-%d}", until=f"{told.until:%Y-%m-%d}"),
        "counted_at": told.until,
    }


def _link(row: Mapping[str, Any]) -> str:
    """An issue's number as a link to its page here."""
    this = {"id": row["issue_id"], "tracker": row["tracker"]}
    return f'<a href="{escaped(link("/issue", this))}">{escaped(row["issue_id"] or "", most=60)}</a>'

"""Figures: the numbers of ``stats``, and the charts and tables of ``report``, in one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from pipeline.reports.html.escaping import escaped
from pipeline.reports.html.gather import figures_of
from pipeline.reports.html.page import sections
from pipeline.reports.html.page import words_of as report_words
from pipeline.reports.stats import count
from web.shown import asked, language_of, link, page

SPANS = (7, 30, 84, 365)  # days
_MOST = 36500


def figures(request: Request) -> Response:
    """What came, what went, what waits."""
    typed = request.query_params.get("days", "")
    days = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 30
    days = min(max(days, 1), _MOST)
    product = asked(request).get("product", "").strip() or None
    until = datetime.now(UTC)
    with request.state.visitor.asking() as acting:
        counted = count(acting, days, until)
        told = figures_of(acting, until - timedelta(days=days), product, until)
    words = report_words(language_of(request))
    return page(
        request,
        "figures.html",
        counted=counted,
        days=days,
        spans=SPANS,
        product=product,
        sections=[
            (heading, Markup(body or escaped(words["none"])))  # noqa: S704 - the report escapes what is in it
            for heading, body in sections(told, words, _link)
        ],
        period=words["period"].format(since=f"{told.since:%Y-%m-%d}", until=f"{told.until:%Y-%m-%d}"),
    )


def _link(row: Mapping[str, Any]) -> str:
    """An issue's number as a link to its page here."""
    this = {"id": row["issue_id"], "tracker": row["tracker"]}
    return f'<a href="{escaped(link("/issue", this))}">{escaped(row["issue_id"] or "", most=60)}</a>'

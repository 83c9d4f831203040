"""Whatever of a ticket's page goes missing, its record is the same, or something is said."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.errors import PageRejected
from crawler.http.decode import decode
from crawler.records import IssueRecord
from crawler.source import RawPage
from crawler.sources.trac.parse.ticket import parse_ticket
from tests.trackers.trac.test_golden import CASES

# What carries a value or tells which one it is, at the template's own places.
VALUES = (
    "#content > h1, #content > h1 > span.status, .trac-id, .trac-status, .trac-type, .trac-type > a, "
    ".trac-resolution, h1 > .summary, h2.summary, "
    "#ticket .date, #ticket .date > p, #ticket .date a.timeline, "
    "table.properties, table.properties > tbody > tr > th, table.properties > tbody > tr > td, "
    ".description, .description > .searchable, "
    "#attachments, #attachments dl, #attachments dt, #attachments dt > *, #attachments dd, "
    "#changelog, #changelog > form, #changelog > div.change, #changelog > form > div.change, "
    "h3.change, h3.change > .trac-author, h3.change > .timeline, "
    "#changelog div.change > .comment, .trac-lastedit, .trac-lastedit > .timeline, "
    "table.changes, table.changes > tbody > tr, table.changes > tbody > tr > td, "
    "ul.changes, ul.changes > li, .trac-field-old, .trac-field-new, .trac-field-deleted"
)


# Without the page's own script, as before Trac 1.4, these go without a trace: a ticket may have no type and
# no description, a change may have no comment beside its fields, or one field less, and a field that is set
# looks like one that had a value whose element is gone.
UNTOLD = frozenset({"trac-type", "searchable", "comment", "trac-lastedit", "changes"})


def is_untold(node: LexborNode) -> bool:
    """Whether a page without a script looks whole when this is gone."""
    classes = set((node.attributes.get("class") or "").split())
    above = node.parent
    in_changes = any(name.startswith("trac-field-") for name in classes)
    while above is not None and not in_changes:
        in_changes = "changes" in (above.attributes.get("class") or "").split()
        above = above.parent
    return in_changes or bool(classes & UNTOLD)


def parsed(html: str, url: str) -> IssueRecord:
    page = RawPage(url=url, body=html.encode(), content_type="text/html; charset=utf-8")
    return parse_ticket(page)


@cache
def clean(case: Path) -> tuple[str, str, IssueRecord] | None:
    """A golden page as the engine writes it, with its address and record; None where there is a doubt."""
    meta = json.loads((case / "meta.json").read_text("utf-8"))
    text = decode((case / "ticket.html").read_bytes(), meta["content_type"]).text
    html = LexborHTMLParser(text).html or ""
    try:
        record = parsed(html, meta["url"])
    except PageRejected:
        return None
    return None if record.warnings else (html, meta["url"], record)


CLEAN = [case for case in CASES if clean(case) is not None]


# One page of each kind; the others have the same elements with other values.
OFTEN = ("attachments", "custom_fields", "trac_0_11_changes", "trac_1_0_attachments", "trac_1_2_changes")


@pytest.mark.parametrize(
    "case",
    [case if case.name in OFTEN else pytest.param(case, marks=pytest.mark.long) for case in CLEAN],
    ids=lambda case: case.name,
)
def test_a_value_that_is_taken_away_is_missed(case: Path) -> None:
    html, url, record = clean(case) or pytest.fail("no such page")
    has_script = "var old_values=" in html
    taken = 0
    for place, node in enumerate(LexborHTMLParser(html).css(VALUES)):
        if not has_script and is_untold(node):
            continue
        page = LexborHTMLParser(html)
        page.css(VALUES)[place].decompose()
        try:
            found = parsed(page.html or "", url)
        except PageRejected:
            taken += 1
            continue
        if "dates as shown" not in found.extra:  # for a time that is gone, the words beside it are kept
            assert found == record or found.warnings, node.html
        taken += found != record
    assert taken > 5


def test_most_pages_are_clean() -> None:
    assert len(CLEAN) > 20

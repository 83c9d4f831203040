"""Trac's pages, damaged in every way: refused, or read whole, and never anything else."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.errors import PageCut, PageRejected
from crawler.html import LexborDocument
from crawler.source import RawPage
from crawler.sources.trac.parse.listing import parse_list
from crawler.sources.trac.parse.markup import filename_of, is_logged_in
from crawler.sources.trac.parse.ticket import parse_ticket

GOLDEN = Path(__file__).with_name("golden")
WHOLE = (GOLDEN / "edited_comment_seen_by_an_administrator" / "ticket.html").read_bytes()
EXPECTED = json.loads(
    (GOLDEN / "edited_comment_seen_by_an_administrator" / "expected.json").read_text("utf-8")
)["record"]
# As Trac 1.2 and earlier write it: everything is told in words.
WORDS = re.sub(rb"(?m)^ *var (?:changes|old_values)=.*\n", b"", WHOLE)


def page(body: bytes, number: int = 30) -> RawPage:
    return RawPage(
        url=f"https://trac.example.org/ticket/{number}", body=body, content_type="text/html;charset=utf-8"
    )


@given(st.integers(0, len(WHOLE.rstrip()) - 1))
@settings(max_examples=60, deadline=None)
def test_a_page_that_ends_early_is_told_as_cut(end: int) -> None:
    with pytest.raises(PageCut):
        parse_ticket(page(WHOLE[:end]))


@given(st.integers(0, len(WHOLE)), st.integers(0, 3000))
@example(WHOLE.index(b'" id="trac-change-4-'), 1)  # its number has gone
@settings(max_examples=60, deadline=None)
def test_a_page_that_lost_a_piece_is_refused_or_has_all_that_it_marks(start: int, length: int) -> None:
    body = WHOLE[:start] + WHOLE[start + length :]
    try:
        record = parse_ticket(page(body))
    except PageRejected:
        return
    assert record.issue_id == "30"
    assert len(record.comments) == body.count(b'class="comment searchable"')
    edited = {each.field_name for each in record.history if each.change_type == "comment"}
    assert len(edited) == body.count(b'class="trac-lastedit"')
    changed = [each for each in record.history if each.change_type != "comment"]
    assert len(changed) == body.count(b'<tr class="trac-field-')


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode() + b"</html>"))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(PageRejected):
        parse_ticket(page(body))
    with pytest.raises(PageRejected):
        parse_list(body.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    "url", ["https://trac.example.org/query", "https://trac.example.org/ticket/", "", "//["]
)
def test_a_page_from_another_address_is_refused(url: str) -> None:
    with pytest.raises(PageRejected):
        parse_ticket(RawPage(url=url, body=WHOLE))


def test_the_address_of_a_tracker_in_a_folder_is_kept() -> None:
    url = "https://example.org/projects/trac/ticket/30?cversion=1"
    assert parse_ticket(RawPage(url=url, body=WHOLE)).url == "https://example.org/projects/trac/ticket/30"


def _with_times_to_come(*labels: str) -> bytes:
    """The page as Trac makes it while its clock is behind the times of the ticket."""
    text = WORDS.decode()
    for label in labels:
        start = text.index(f"<p>{label} <a")
        end = text.index("</p>", start)
        text = f'{text[:start]}<p>{label} <span title="on 09/02/17 at 11:40:45">in 2 hours</span>{text[end:]}'
    return text.encode()


def test_a_change_that_is_still_to_come_has_its_time_from_the_history() -> None:
    record = parse_ticket(page(_with_times_to_come("Last modified")))
    assert record.registered_date == datetime(2017, 9, 2, 2, 40, tzinfo=UTC)
    assert record.modified_date == datetime(2017, 9, 2, 2, 40, 45, tzinfo=UTC)
    assert record.extra["dates as shown"] == "on 09/02/17 at 11:40:45"
    assert record.warnings == ()


def test_a_ticket_that_is_still_to_be_opened_has_no_time_and_says_so() -> None:
    record = parse_ticket(page(_with_times_to_come("Opened", "Last modified")))
    assert record.registered_date is None
    assert len(record.warnings) == 1


@pytest.mark.parametrize(
    "href",
    [
        "/timeline?from=2017-13-02T11%3A40%3A40Z",
        "/timeline?from=9999-12-31T23:59:59-09:00",
        "//[",
        "/timeline",
    ],
)
def test_a_time_that_is_none_is_left_out(href: str) -> None:
    text = WORDS.decode()
    start = text.index('href="/timeline?')
    end = text.index('"', start + 6)
    record = parse_ticket(page(f'{text[:start]}href="{href}{text[end:]}'.encode()))
    assert record.registered_date is None
    assert record.comments == parse_ticket(page(WHOLE)).comments


LIST = """<html><body><div id="metanav"><ul><li><a href="/login">Login</a></li></ul></div><div id="main">
<div id="content" class="query"><h1>Custom Query <span class="numrows">(3 matches)</span></h1>
<table class="listing tickets"><tbody>
<tr><td class="id"><a href="/ticket/7">#7</a></td></tr><tr><td class="id"><a href="/ticket/5">#5</a></td></tr>
</tbody></table></div></div></body></html>
"""


def test_a_list_is_read() -> None:
    listed = parse_list(LIST)
    assert (listed.numbers, listed.matches, listed.components, listed.warning) == ((7, 5), 3, (), None)


@pytest.mark.parametrize(
    "damaged",
    [
        LIST.replace("</html>", ""),
        LIST.replace("(3 matches)", "(many matches)"),
        LIST.replace("#5", "five"),
        LIST.replace('class="listing tickets"', 'class="listing"'),
        LIST.replace('class="query"', 'class="report"'),
        LIST.replace(
            '<tr><td class="id"><a href="/ticket/5">', '<!-- <tr><td class="id"><a href="/ticket/5"> -->'
        ),
    ],
)
def test_a_damaged_list_is_refused(damaged: str) -> None:
    assert damaged != LIST
    with pytest.raises(PageRejected):
        parse_list(damaged)


def test_a_page_tells_whether_it_was_made_for_somebody() -> None:
    assert is_logged_in(WHOLE.decode()) is True
    assert is_logged_in(LIST) is False
    assert is_logged_in(LIST.replace("Custom Query", '<a href="/logout">')) is False
    assert is_logged_in("<html>another site, /logout</html>") is None


@pytest.mark.parametrize("words", ["(none)", "(なし)", "(없음)"])
@pytest.mark.parametrize("field", ["reporter", "owner"])
def test_nobody_is_no_name(field: str, words: str) -> None:
    html = WORDS.decode()
    cell = re.search(
        rf'(<td[^>]* headers="h_{field}"[^>]*>|<td headers="h_{field}"[^>]*>).*?(</td>)', html, re.DOTALL
    )
    assert cell is not None
    for inner, expected in (
        (f'<span class="trac-author-none">{words}</span>', None),
        (f'<span class="trac-author">{words}</span>', words),
    ):
        record = parse_ticket(page(html.replace(cell[0], f"{cell[1]}{inner}{cell[2]}").encode()))
        assert getattr(record, field) == expected


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("/attachment/ticket/7/a%20b.txt", "a b.txt"),
        ("/trac/raw-attachment/ticket/7/folder/b.txt?x=1", "folder/b.txt"),
        ("/attachment/ticket/7/tab%09in.txt", "tab\tin.txt"),
        ("/elsewhere/b.txt", "b.txt"),
    ],
)
def test_a_file_has_the_name_that_its_link_has(href: str, name: str) -> None:
    link = LexborDocument(f'<p><a href="{href}">words</a></p>').select_one("a")
    assert link is not None
    assert filename_of(link) == name


def test_a_heading_that_lost_its_author_gives_no_other_words_for_a_name() -> None:
    heading = WORDS.index(b'<h3 class="change"')
    author = re.compile(rb'<span class="trac-author[^>]*>.*?</span>')
    lost = WORDS[:heading] + author.sub(b"", WORDS[heading:], count=1)
    assert lost != WORDS
    with pytest.raises(PageRejected, match="does not tell who made it"):
        parse_ticket(page(lost))

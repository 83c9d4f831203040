"""Whatever of a page's values goes missing, its record is the same, or something is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import cache
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.errors import PageRejected
from crawler.http.decode import decode
from crawler.records import IssueRecord
from crawler.source import RawPage
from crawler.sources.ims.parse import parse_issue
from tests.trackers.ims.test_golden import CASES, ZONE
from tests.trackers.ims.test_pages import SAMPLE, read

# What carries a value or tells which one it is. A row, a list's entry and words within a text go without a
# trace, as do the controls of a form: a cell that is left empty says that there is nothing.
VALUES = (
    "span.issueNumber, table.basic > tbody > tr > td, table.basic > tbody > tr > th, #NoticeDiv td, "
    "#IssueDescriptionDiv, #IssueDescriptionDiv > table > tbody > tr > td.data, "
    "[id^=action_], [id^=comment_], [id^=commDescTR_], .commDescTR, "
    "#CommentsDiv, #HistoriesDiv, #HistoriesDiv td, #HistoriesDiv th, "
    "#AttachesDiv li a, #PatchAttachesDiv li a, "
    "#RelatedIssueTable td, #RelatedIssueTable th, #RelatedIssueTable a"
)
LISTS = "#AttachesDiv, #PatchAttachesDiv, #RelatedIssueTable"


def url_of(case: Path) -> str:
    return str(json.loads((case / "meta.json").read_text("utf-8"))["url"])


def parsed(html: str, url: str) -> IssueRecord:
    page = RawPage(url=url, body=html.encode(), content_type="text/html; charset=utf-8")
    return parse_issue([page], zone=ZONE)


@cache
def clean(case: Path) -> tuple[str, IssueRecord] | None:
    """A golden page as the engine writes it, with its record; None where there is something to say of it."""
    meta = json.loads((case / "meta.json").read_text("utf-8"))
    text = decode((case / "issue.html").read_bytes(), meta["content_type"]).text
    html = LexborHTMLParser(text).html or ""
    try:
        record = parsed(html, url_of(case))
    except PageRejected:
        return None
    return None if record.warnings else (html, record)


CLEAN = [case for case in CASES if clean(case) is not None]


def words(node: LexborNode) -> str:
    return node.text().replace("\xa0", " ").strip()


def says_something(node: LexborNode) -> bool:
    """Whether a page without this element is another page to whoever reads it."""
    if node.id in ("CommentsDiv", "HistoriesDiv"):
        return node.parser.css_first(LISTS) is not None  # type: ignore[attr-defined] # every node has one
    if node.tag == "a":
        return node.next is not None and bool(words(node.next))  # its size stays behind
    if node.attributes.get("class") == "commDescTR":
        return len(node.parent.css(".commDescTR")) == 1 if node.parent else True
    beside = node.next
    is_header = "tableHeaderTitle" in (node.attributes.get("class") or "") or node.tag == "th"
    if is_header and beside is not None and beside.tag == "td":
        return bool(words(beside))
    return bool(words(node))


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.name)
def test_a_value_that_is_taken_away_is_missed(case: Path) -> None:
    html, record = clean(case) or ("", None)
    taken = 0
    for place, node in enumerate(LexborHTMLParser(html).css(VALUES)):
        if not says_something(node):
            continue
        page = LexborHTMLParser(html)
        page.css(VALUES)[place].decompose()
        try:
            found = parsed(page.html or "", url_of(case))
        except PageRejected:
            taken += 1
            continue
        assert found == record or found.warnings, node.html
        taken += found != record
    assert taken > 5


def test_most_pages_are_clean() -> None:
    assert len(CLEAN) > 20


WORD = st.text("abcdefgh가나다라バグ", min_size=2, max_size=8)
ENTRY = st.tuples(
    st.dates(date(1971, 1, 1), date(2099, 1, 1)).map(str),
    WORD,
    st.tuples(WORD, WORD, WORD).map(lambda change: f"{change[0]} : {change[1]} -> {change[2]}"),
)
NAMES = (
    {"No": "No", "Date": "Date", "User": "User", "Details": "Details"},
    {"No": "번호", "Date": "변경 일시", "User": "변경자", "Details": "변경 내용"},
    {"No": "番号", "Date": "日時", "User": "氏名", "Details": "変更内容"},
    {"No": "#", "Date": " DATE : ", "User": "Changed by", "Details": "History"},
)


def history(
    columns: Sequence[str], names: dict[str, str], entries: list[tuple[str, str, str]], tag: str
) -> str:
    rows = [
        dict(zip(("No", "Date", "User", "Details"), (str(number), *entry), strict=True))
        for number, entry in enumerate(entries, start=1)
    ]
    head = "".join(f"<th>{names[column]}</th>" for column in columns)
    body = "".join(
        '<tr class="data">'
        + "".join(
            f"<{tag}>{escape(row[column])}</{tag}>" if column == "Date" else f"<td>{escape(row[column])}</td>"
            for column in columns
        )
        + "</tr>"
        for row in rows
    )
    table = f'<div id="HistoriesDiv"><table><tr class="title">{head}</tr>{body}</table></div>'
    return SAMPLE.replace("</body>", f"{table}</body>")


@given(
    st.permutations(["No", "Date", "User", "Details"]),
    st.integers(0, 2),
    st.sampled_from(NAMES),
    st.sampled_from(["td", "th"]),
    st.lists(ENTRY, min_size=1, max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_the_history_is_the_same_in_any_order_of_its_columns(
    order: list[str], without: int, names: dict[str, str], tag: str, entries: list[tuple[str, str, str]]
) -> None:
    usual = read(history(["Date", "User", "Details"], NAMES[0], entries, "td"))
    assert [change.new_value for change in usual.history] == [what.split(" -> ")[1] for _, _, what in entries]
    assert usual.warnings == ()
    columns = [column for column in order if column != "No" or without]
    assert read(history(columns, names, entries, tag)) == usual


@given(st.permutations(["Date", "User", "Details", "IP"]), st.lists(ENTRY, min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_a_column_that_nobody_knows_is_kept_and_told(
    order: list[str], entries: list[tuple[str, str, str]]
) -> None:
    usual = read(history(["Date", "User", "Details"], NAMES[0], entries, "td"))
    html = history(
        [column if column != "IP" else "No" for column in order], {**NAMES[0], "No": "IP"}, entries, "td"
    )
    found = read(html)
    assert found.history == usual.history
    assert found.extra["History IP"] == [str(number) for number in range(1, len(entries) + 1)]
    assert len(found.warnings) == 1

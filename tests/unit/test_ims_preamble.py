"""What all pages begin with is left out only where no engine and no count could tell."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import PageRejected
from crawler.parsers.ims import Listing, issue_preamble, list_preamble, parse_issue, parse_list
from crawler.parsers.ims.preamble import Preamble
from crawler.records import IssueRecord
from crawler.source import RawPage
from crawler.standin import StandIn
from tests.fix_standin import visit

ZONE = ZoneInfo("Asia/Seoul")
ADDRESS = "http://ims.test/tody/ims/issue/issueView.do?issueId=7"
MENU = "<div id='menu'>" + "<a href='#'>Menu</a>\n" * 110 + "</div>"
START = f"<!DOCTYPE html><html><head><title>Issue 7</title></head><body>{MENU}"
OWN = """<form action="issueView.do?issueId=7"><span class="issueNumber">7</span></form>
<table><tr><td class="tableHeaderTitle">Subject</td><td>One</td><th>Status</th><td>Open</td></tr></table>
<div id="IssueDescriptionDiv"><table><tr><td class="data">Words</td></tr></table></div>
<div id="CommentsDiv"><div class="fieldset"><span id="action_1">Action No. 1 | Registrant : Kim |
Registered date : 2026-01-05</span><div id="comment_1"><div class="commDescTR">Said</div></div></div></div>
</body></html>"""
CASES = sorted((Path(__file__).parent.parent / "golden" / "ims").iterdir())
TAGS = """
    <div> </div> <p> <b> </b> <a> </a> <form> </form> <table> <tr> <td> </table> <select> </select> <!-- -->
    <script> </script> <textarea> </textarea> <title> </title> <svg> </svg> <style> </style> </body>
    <frameset> </html> <template> </template> <ul><li> </ul> <th> <h1> <ims-mark> <center> <button>
    <plaintext> <noscript> <pre> words "> '> totalCount=8 <span/class='issueNumber'>8 <tr/class='title'>
"""
PIECES = [
    *TAGS.split(),
    "<a id='action_2'>",
    "<div id='CommentsDiv'>",
    '<i title="',
    "<th>Status</th><td>New</td>",
    "[ Total 9 ]",
    "\0",
    "\r",
]


def outcome(html: str, preamble: Preamble | None = None) -> IssueRecord | str:
    try:
        page = RawPage(url=ADDRESS, body=html.encode(), content_type="text/html")
        return parse_issue([page], zone=ZONE, preamble=preamble)
    except PageRejected as error:
        return str(error)


def listed(html: str, preamble: Preamble | None = None) -> Listing | str:
    try:
        return parse_list(html, preamble)
    except PageRejected as error:
        return str(error)


def learnt(*pages: str) -> Preamble:
    preamble = issue_preamble()
    for page in pages:
        preamble.without(page)
    return preamble


def test_the_second_page_is_read_without_what_it_has_in_common_with_the_first() -> None:
    second = START.replace("7", "8") + OWN.replace("Words", "Others")
    without = learnt(START + OWN).without(second)
    assert without is not None
    assert "Menu" not in without
    assert without.endswith(OWN.replace("Words", "Others"))
    assert outcome(second, learnt(START + OWN)) == outcome(second)


def test_a_page_that_begins_otherwise_is_read_whole() -> None:
    preamble = learnt(START + OWN)
    assert preamble.without(START.replace("Menu", "menu", 1) + OWN) is None


def test_what_differs_on_every_page_is_not_part_of_the_beginning() -> None:
    pages = [f"{START}<p>{name}</p>{MENU}{OWN}" for name in ("Kim", "Sato", "Smith")]
    without = learnt(*pages[:2]).without(pages[2])
    assert without is not None
    assert "Smith" in without
    assert without.count("Menu") == 110


@pytest.mark.parametrize(
    "around", ["<div>", "<div><form>", "<table><tr><td>", "<center><table><tr><td><div>"]
)
def test_elements_that_stay_open_around_the_page_are_opened_again(around: str) -> None:
    page = START + around + OWN
    without = learnt(page).without(page)
    assert without is not None
    assert "Menu" not in without
    assert outcome(page, learnt(page)) == outcome(page)


@pytest.mark.parametrize(
    "left",
    [
        "<b>",
        "<div><b></div>",
        "<b><table><tr><td>",
        "<div><b></div><table><tr><td>",
        "<form><div></form>",
        "<table>",
        "<select>",
        "<ul><li>",
        "<textarea>",
        "<script>",
        "<!--",
        "<svg>",
        "<template>",
        "<i title='",
        "<div id='CommentsDiv'></div>",
        "<span class='issue&#78;umber'>7</span>",
        "<!-- never ended <script></script>",
        "\0",
        "<ims-mark></ims-mark>",
        "<table><tr><th>Severity</th><td>High</td></tr></table>",
        "<table><tr>",
        """<Script>'<div id="HistoriesDiv">'</Script>""",
    ],
)
def test_a_beginning_that_could_matter_to_the_rest_is_not_left_out(left: str) -> None:
    page = START + left + OWN
    without = learnt(page).without(page)
    assert without is None or "Menu" in without or left in without
    assert outcome(page, learnt(page)) == outcome(page)


def test_rows_of_a_table_that_began_before_are_not_lost() -> None:
    page = f"{START}<table><tr><th>Severity</th><td>High</td></tr></table>{OWN}"
    without = learnt(page).without(page)
    assert without is not None
    assert "<table><tr><th>Severity" in without
    found = outcome(page, learnt(page))
    assert isinstance(found, IssueRecord)
    assert found.severity == "High"


def test_a_page_whose_standard_is_not_told_by_its_first_tag_is_read_whole() -> None:
    page = START.replace("html>", "html SYSTEM '<'>", 1) + OWN
    assert learnt(page).without(page) is None


@pytest.mark.parametrize(
    "start",
    [
        START.replace("<title>", "<!--<title>").replace("</title>", "</title>-->"),
        START.replace("<title>", "<script>'<title>").replace("</title>", "</title>'</script>"),
        START.replace("<title>", '<a b="<title>').replace("</title>", '</title>">'),
        START.replace("<title>", "<svg><title>").replace("</title>", "</title></svg>"),
        START.replace("<title>", '<span b="<title>').replace(
            "</title>", '</title>">9</span><title>Two</title>'
        ),
        START.replace("<title>", "").replace("</title>", ""),
    ],
)
def test_a_title_that_is_none_is_not_passed_over(start: str) -> None:
    preamble = learnt(start + OWN)
    for words in ("Issue 7", "Issue 7-->", "Issue 7'; </script>", "'> <b>", '" class="issueNumber', "<b>"):
        page = start.replace("Issue 7", words) + OWN
        assert outcome(page, preamble) == outcome(page)


def test_a_page_of_an_old_standard_stays_one() -> None:
    page = START.removeprefix("<!DOCTYPE html>") + OWN
    without = learnt(page).without(page)
    assert without is not None
    assert without.startswith("<html><body>")
    assert (learnt(START + OWN).without(START + OWN) or "").startswith("<!DOCTYPE html><html><body>")


def test_the_title_of_a_list_may_hold_a_total() -> None:
    own = "<select id='productCodes'></select><table><tr class='title'><th>No</th></tr></table></html>"
    preamble = list_preamble()
    for title in ("[ Total 3 ]", "Search", "[ Total 4 ]", "Search"):
        page = START.replace("Issue 7", title) + own
        assert listed(page, preamble) == listed(page)
    assert preamble.without(page) is not None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=5),
    st.lists(st.sampled_from(PIECES), max_size=3),
    st.lists(st.sampled_from(PIECES), max_size=3),
    st.booleans(),
)
def test_a_page_says_the_same_with_and_without_its_beginning(
    left: list[str], within: list[str], title: list[str], standard: bool
) -> None:
    start = START.replace("</head>", "".join(title) + "</head>") + "".join(left)
    page = (start if standard else start.removeprefix("<!DOCTYPE html>")) + OWN
    preamble = learnt(page)
    for other in (page, page.replace("Words", "".join(within)), page.replace("Said", "".join(within))):
        assert outcome(other, preamble) == outcome(other)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_saved_page_gives_its_record_without_its_beginning_too(case: Path) -> None:
    meta = json.loads((case / "meta.json").read_text("utf-8"))
    page = RawPage(
        url=meta["url"], body=(case / "issue.html").read_bytes(), content_type=meta["content_type"]
    )
    marked = replace(page, body=page.body.replace(b"<body>", b"<body>" + MENU.encode(), 1))

    def read(preamble: Preamble | None) -> IssueRecord | str:
        try:
            return parse_issue([marked], zone=ZONE, preamble=preamble)
        except PageRejected as error:
            return str(error)

    preamble = issue_preamble()
    assert [read(preamble), read(preamble)] == [read(None), read(None)]


async def test_lists_and_issues_of_a_tracker_are_read_to_the_same_without_their_beginnings() -> None:
    issues, lists = issue_preamble(), list_preamble()
    async with StandIn(synthetic=30) as tracker, visit(tracker, "kim") as visitor:
        for page in (1, 2, 3):
            html = await visitor.search(page=page)
            assert lists.without(html) is None or page > 1
            assert listed(html, lists) == listed(html)
            for row in parse_list(html).rows[:4]:
                text = (await visitor.issue(int(row.issue_id))).replace(row.issue_id, "7")
                assert isinstance(outcome(text), IssueRecord)
                assert outcome(text, issues) == outcome(text)
        assert len(issues.without(text) or text) < len(text) / 4
        assert len(lists.without(html) or html) < len(html) / 4


def test_scripts_that_never_end_are_learnt_from_in_no_time() -> None:
    began = time.process_time()
    learnt(START + "<script" * 100_000 + OWN, START + "<script>" * 100_000 + OWN)
    assert time.process_time() - began < 5

"""The stand-in's issue page has every section in every form that was seen."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.sources.ims.standin import Action, Change, FieldChange, Form, Issue, Listing, StandIn
from crawler.sources.ims.standin.content import written_issues
from tests.fixtures.standin import ISSUE, Visitor, one, visit

ISSUE_AT = datetime(2026, 1, 5, 10, 22, 33)


def clean(node: LexborNode | None) -> str:
    assert node is not None
    return node.text().replace("\xa0", " ").strip()


def fields(page: str) -> dict[str, str]:
    """Every header of the first table with the cell after it."""
    found = {}
    for row in LexborHTMLParser(page).css("#IssueBasicDiv tr"):
        cells = row.css("td, th")
        for header, value in zip(cells[::2], cells[1::2], strict=True):
            found[clean(header)] = clean(value)
    return found


def landmarks(page: str) -> list[str]:
    names = (
        *("span.issueNumber", "td.tableHeaderTitle", "#IssueDescriptionDiv", "#CommentsDiv", "#HistoriesDiv"),
        *("#AttachesDiv", "#PatchAttachesDiv", "#NoticeDiv", "table#RelatedIssueTable"),
    )
    document = LexborHTMLParser(page)
    return [name for name in names if document.css_first(name) is not None]


def with_form(form: Form) -> Issue:
    return Issue(
        number=7001,
        title="제목 with 日本語",
        product="Tibero",
        status="Open",
        registered=ISSUE_AT,
        fields={"Priority": "High"},
        reporter="Ann",
        actions=(Action(number=1, author="Bo", at=ISSUE_AT, text="한 줄\n두 줄"),),
        changes=(
            Change(at=ISSUE_AT, by="Bo", lines=(FieldChange(field="Status", old="New", new="Open"), "free")),
        ),
        form=form,
    )


async def page_of(form: Form) -> str:
    async with StandIn(issues=[with_form(form)]) as tracker, visit(tracker, "kim") as kim:
        return await kim.issue(7001)


async def test_the_page_has_all_its_sections_in_one_answer_of_usual_size(kim: Visitor) -> None:
    page = await kim.issue(348115)
    assert len(landmarks(page)) == 9
    assert 15_000 < len(page.encode()) < 150_000
    assert page.rstrip().endswith("</html>")


async def test_get_answers_the_same_page_as_post(kim: Visitor) -> None:
    params = {"issueId": "348115", "menuCode": "issue_search"}
    assert (await kim.client.get(ISSUE, params=params)).text == await kim.issue(348115)


async def test_fields_stand_beside_their_headers(kim: Visitor) -> None:
    found = fields(await kim.issue(342018))
    assert found["Subject"].startswith("SVC99 dynamic allocation")
    assert found["Product"] == "OpenFrame Batch"
    assert found["Status"] == "In Progress"
    assert found["Reporter"] == "Ann Smith ( ann.smith@example.com)"
    assert found["Error Code"] == "0x80070005"
    assert found["Registered date"] == "2022-02-08 16:45"
    assert found["Project"] == "Northgate Rail timetable"
    assert found["Site"] == "York"


async def test_the_status_is_in_a_coloured_span(kim: Visitor) -> None:
    document = LexborHTMLParser(await kim.issue(348115))
    assert clean(document.css_first("#IssueBasicDiv td.data span[style^=color] span")) == "Open"


async def test_every_header_of_the_tracker_occurs() -> None:
    known = (
        "Priority, Severity, Category, Version, Build No, Patch No, Patch Version, Module, Error Code"
        ", Customer, Handler, Owner, Manager, Date of final order, Closed Date, Bug Number"
        ", Found version, Fixed version, Target version"
    )
    used = {header for issue in written_issues() for header in issue.fields}
    assert used == set(known.split(", "))


async def test_the_notice_has_a_header_that_begins_like_another(kim: Visitor) -> None:
    cells = LexborHTMLParser(await kim.issue(348115)).css("#NoticeDiv td")
    assert [clean(cell) for cell in cells] == ["Product Notice", "A patch set for 7.2 is planned for March."]


async def test_the_description_keeps_its_lines_and_indentation(kim: Visitor) -> None:
    document = LexborHTMLParser(await kim.issue(348115))
    assert clean(document.css_first("#IssueDescriptionDiv h3")) == "Issue Description"
    html = one(document, "#IssueDescriptionDiv td.data").html or ""
    assert "<br>\n<br>\n&nbsp;&nbsp;&nbsp;&nbsp;SVC99 rc=8" in html


async def test_comments_have_heading_hidden_number_and_body(kim: Visitor) -> None:
    blocks = LexborHTMLParser(await kim.issue(342018)).css("#CommentsDiv div.fieldset")
    assert len(blocks) == 6
    heading = clean(blocks[1].css_first("div.legend span.link2#action_2"))
    assert heading == "Action No. 2 | Registrant : Ann Smith | Registered date : 2022-02-11 09:00"
    assert one(blocks[1], "input[type=hidden][name=actionId]").attributes["value"] == "2"
    assert clean(blocks[4].css_first("div#comment_5 div.commDescTR")) == "Planned for 7.1 patch set 4."


async def test_the_history_has_date_user_and_lines(kim: Visitor) -> None:
    rows = LexborHTMLParser(await kim.issue(348115)).css("#HistoriesDiv tr.data")
    date, user, details = rows[1].css("td")
    assert (clean(date), clean(user)) == ("2026-01-06 09:30", "Kim Taeyang")
    assert "Priority : Normal -&gt; High<br>Severity : 3 -&gt; 2" in (details.html or "")
    assert len(rows) == 2


async def test_identical_entries_of_the_history_are_both_there(kim: Visitor) -> None:
    rows = [row.html for row in LexborHTMLParser(await kim.issue(342018)).css("#HistoriesDiv tr.data")]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("separator", ["-", "/", "."])
@pytest.mark.parametrize(("clock", "shown"), [("none", ""), ("minutes", " 10:22"), ("seconds", " 10:22:33")])
async def test_dates_stand_in_every_form(separator: str, clock: str, shown: str) -> None:
    page = await page_of(Form(dates=separator, clock=clock))  # type: ignore[arg-type]  # literals of the table
    date = f"2026{separator}01{separator}05{shown}"
    assert fields(page)["Registered date"] == date
    assert f"Registered date : {date}</span>" in page
    assert clean(LexborHTMLParser(page).css_first("#HistoriesDiv tr.data td")) == date


@pytest.mark.parametrize(
    ("cell", "selector"),
    [("title", "td.title.tableHeaderTitle"), ("plain", "td.tableHeaderTitle"), ("th", "th")],
)
@pytest.mark.parametrize("pairs", [1, 2])
async def test_header_cells_stand_in_every_form(cell: str, selector: str, pairs: int) -> None:
    page = await page_of(Form(header_cell=cell, pairs=pairs))  # type: ignore[arg-type]  # literals of the table
    rows = LexborHTMLParser(page).css("#IssueBasicDiv tr")
    assert {len(row.css(selector)) for row in rows} == {pairs}
    assert fields(page)["Subject"] == "제목 with 日本語"
    assert ("td.title" in selector) == bool(LexborHTMLParser(page).css("#IssueBasicDiv td.title"))


async def test_comment_bodies_stand_in_the_other_form() -> None:
    document = LexborHTMLParser(await page_of(Form(comment_body="commDescTR")))
    assert clean(document.css_first("div#commDescTR_1")) == "한 줄\n두 줄"
    assert document.css_first("div#comment_1") is None


async def test_the_other_arrow_and_the_other_headers_stand_where_asked_for() -> None:
    page = await page_of(Form(arrow="→", priority_header="Urgency", reporter_header="Register"))
    assert "Status : New → Open<br>free" in page
    found = fields(page)
    assert (found["Urgency"], found["Register"]) == ("High", "Ann")
    assert not {"Priority", "Reporter"} & set(found)


async def test_without_a_number_on_the_page_it_stands_in_an_address() -> None:
    page = await page_of(Form(number_span=False))
    assert "issueNumber" not in page
    assert "issueView.do?issueId=7001" in page


@pytest.mark.parametrize(
    ("encoding", "charset", "header", "meta"),
    [
        ("utf-8", "right", "text/html;charset=UTF-8", "utf-8"),
        ("utf-8", "wrong", "text/html;charset=ISO-8859-1", "iso-8859-1"),
        ("utf-8", "missing", "text/html", None),
        ("cp949", "right", "text/html;charset=EUC-KR", "euc-kr"),
        ("cp949", "wrong", "text/html;charset=UTF-8", "utf-8"),
        ("cp949", "missing", "text/html", None),
    ],
)
async def test_charsets_are_told_rightly_wrongly_or_not_at_all(
    encoding: str, charset: str, header: str, meta: str | None
) -> None:
    form = Form(encoding=encoding, charset=charset)  # type: ignore[arg-type]  # literals of the table
    async with StandIn(issues=[with_form(form)]) as tracker, visit(tracker, "kim") as kim:
        answer = await kim.client.get(ISSUE, params={"issueId": "7001"})
    assert answer.headers["content-type"] == header
    text = answer.content.decode(encoding)
    assert "두 줄" in text
    assert "제목 with 日本語" in text
    told = re.search(r"<meta[^>]*charset=([\w-]+)", text)
    assert (told[1] if told else None) == meta


async def test_old_written_issues_are_in_the_old_encoding(kim: Visitor) -> None:
    for number, header in ((312007, "text/html;charset=UTF-8"), (312455, "text/html")):
        answer = await kim.client.get(ISSUE, params={"issueId": str(number)})
        assert answer.headers["content-type"] == header
        with pytest.raises(UnicodeDecodeError):
            answer.content.decode()
        assert "습니다" in answer.content.decode("cp949") or "됩니다" in answer.content.decode("cp949")


async def test_a_field_that_an_account_may_not_see_is_not_on_its_page(standin: StandIn) -> None:
    async with visit(standin, "sato") as sato, visit(standin, "smith") as smith:
        pages = [await visitor.issue(342018) for visitor in (smith, sato)]
    assert fields(pages[0])["Customer"] == "Northgate Rail"
    assert "Customer" not in fields(pages[1])


@pytest.mark.parametrize("number", ["999999999", "0", "", "abc", "-1", "348115 OR 1=1", "9" * 400])
async def test_an_issue_that_is_not_there_is_an_error_page_with_status_200(kim: Visitor, number: str) -> None:
    answer = await kim.client.post(ISSUE, data={"issueId": number})
    assert answer.status_code == 200
    assert landmarks(answer.text) == []
    assert "The issue does not exist" in answer.text


@pytest.mark.parametrize(("denial", "words"), [("told", "no permission"), ("silent", "does not exist")])
async def test_an_issue_of_others_is_an_error_page_with_status_200(denial: str, words: str) -> None:
    listing = Listing(denial=denial)  # type: ignore[arg-type]  # literals of the table
    async with StandIn.demo(listing=listing) as tracker, visit(tracker, "kim") as kim:
        answer = await kim.client.post(ISSUE, data={"issueId": "344310"})
    assert answer.status_code == 200
    assert landmarks(answer.text) == []
    assert words in answer.text
    assert "oscmgr" not in answer.text


async def test_hostile_words_are_escaped(kim: Visitor) -> None:
    page = await kim.issue(346660)
    document = LexborHTMLParser(page)
    assert (
        fields(page)["Subject"] == "<script>alert('title')</script> shown as text in the subject & \"quotes\""
    )
    assert len(document.css("#CommentsDiv div.fieldset")) == 3
    assert clean(document.css_first("div#comment_1")).startswith(
        "</div></div></div></td></tr></table> was typed"
    )
    assert "after inner" in clean(document.css_first("div#comment_2 div.commDescTR"))
    assert document.css("img[src=x]") == []


async def test_control_characters_reach_the_reader_as_they_are(kim: Visitor) -> None:
    assert "\x1b[31mred\x1b[0m" in await kim.issue(346661)
    assert "\u202egnp.exe\u202c" in await kim.issue(346662)


async def test_broken_html_is_there_when_asked_for() -> None:
    async with StandIn.demo(broken=True) as tracker, visit(tracker, "kim") as kim:
        pages = [await kim.issue(number) for number in (346670, 346671, 346672)]
    for page, comments in zip(pages, (3, 2, 2), strict=True):
        assert page.count('id="action_') == comments
        assert "Behind the break." in page
    assert len(LexborHTMLParser(pages[1]).css("#CommentsDiv div.fieldset")) == 1
    assert not {346670, 346671, 346672} & {issue.number for issue in written_issues()}


def test_an_account_is_told_by_its_name_only() -> None:
    issue = replace(with_form(Form()), hidden_from=frozenset({"kim"}))
    tracker = StandIn(issues=[issue])
    seen = [tracker.world.seen_by(account, 7001) for account in tracker.sessions.accounts.values()]
    assert seen == [None, issue, issue]

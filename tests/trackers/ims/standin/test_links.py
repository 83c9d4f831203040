"""The stand-in's attachments, relations and patch lists are reached as on the tracker."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.sources.ims.standin import Listing, StandIn
from crawler.sources.ims.standin.routes import DOWNLOAD_PATH, PATCHES_PATH, RELATIONS_PATH
from tests.fixtures.standin import LOGIN, Visitor, one, visit


async def test_attachments_name_their_file_kind_and_size(kim: Visitor) -> None:
    page = LexborHTMLParser(await kim.issue(341220))
    links = page.css("#AttachesDiv a[onclick]") + page.css("#PatchAttachesDiv a[onclick]")
    assert [link.attributes["href"] for link in links] == ["/", "/"]
    calls = [
        re.match(r"downloadFileNew\('(\d+)', '(\w+)'\)", link.attributes["onclick"] or "") for link in links
    ]
    assert [call.groups() for call in calls if call] == [("3412201", "ISSUE"), ("3412202", "PATCH")]
    assert [one(link, "span").text() for link in links] == ["rptm01.map", "osc-7.0-0311.tar"]
    assert "(1 KB)" in one(page, "#AttachesDiv li").text()


async def test_the_page_defines_where_downloads_are(kim: Visitor) -> None:
    page = await kim.issue(341220)
    body = re.search(r"function downloadFileNew\(fileId, fileType\) \{(.*?)\n\}", page, re.DOTALL)
    assert body
    assert f"'{DOWNLOAD_PATH}?fileId=' + fileId + '&fileType=' + fileType" in body[1]


async def test_the_page_can_define_it_as_a_form() -> None:
    async with StandIn.demo(listing=Listing(download="form")) as tracker, visit(tracker, "kim") as kim:
        page = await kim.issue(341220)
    assert f"form.action = '{DOWNLOAD_PATH}'" in page
    assert [
        node.attributes["name"] for node in LexborHTMLParser(page).css("form[name=downloadForm] input")
    ] == [
        "fileId",
        "fileType",
    ]


@pytest.mark.parametrize(("place", "kind"), [(0, "ISSUE"), (1, "PATCH")])
async def test_downloads_answer_the_bytes_under_the_name(
    standin: StandIn, kim: Visitor, place: int, kind: str
) -> None:
    file = standin.issue(341220).files[place]
    params = {"fileId": str(file.number), "fileType": kind}
    answer = await kim.client.get(DOWNLOAD_PATH, params=params)
    assert answer.content == file.content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert unquote(answer.headers["content-disposition"]).endswith(f"UTF-8''{file.name}")


async def test_a_file_name_in_any_language_stays_in_one_header(standin: StandIn, kim: Visitor) -> None:
    for number in (345999, 346660, 346662):
        for file in standin.issue(number).files:
            answer = await kim.client.get(
                DOWNLOAD_PATH, params={"fileId": str(file.number), "fileType": "ISSUE"}
            )
            assert unquote(answer.headers["content-disposition"].partition("''")[2]) == file.name
            assert answer.content == file.content


@pytest.mark.parametrize(
    "params",
    [
        {"fileId": "3412201", "fileType": "PATCH"},  # the other kind
        {"fileId": "3443101", "fileType": "PATCH"},  # of an issue that kim may not see
        {"fileId": "1", "fileType": "ISSUE"},
        {},
    ],
)
async def test_a_file_that_is_not_there_for_the_account_is_an_error_page(
    kim: Visitor, params: dict[str, str]
) -> None:
    answer = await kim.client.get(DOWNLOAD_PATH, params=params)
    assert answer.status_code == 200
    assert "File not found" in answer.text


async def test_a_download_without_a_session_ends_on_the_login_page(standin: StandIn) -> None:
    async with visit(standin) as nobody:
        answer = await nobody.client.get(DOWNLOAD_PATH, params={"fileId": "3412201", "fileType": "ISSUE"})
        assert answer.url.path == LOGIN


async def test_the_table_of_related_issues_has_a_link_and_eight_columns_more(kim: Visitor) -> None:
    table = one(LexborHTMLParser(await kim.issue(348115)), "table#RelatedIssueTable")
    headers = [cell.text() for cell in table.css("tr.title th")]
    assert headers[:6] == ["No", "Issue No", "Status", "Product", "Module", "Owner"]
    assert headers[6:] == ["Handler", "Customer", "Project", "Subject"]
    rows = [[cell.text().replace("\xa0", "") for cell in row.css("td")] for row in table.css("tr.data")]
    assert [row[1] for row in rows] == ["342018", "347766"]
    assert rows[0][2:4] == ["In Progress", "OpenFrame Batch"]
    assert "issueView.do?issueId=342018" in (one(table, "a").attributes["href"] or "")


async def test_related_issues_that_the_account_may_not_see_are_left_out(standin: StandIn) -> None:
    standin.edit_issue(348115, related=(342018, 344310))
    for name, numbers in (("kim", [342018]), ("smith", [342018, 344310])):
        async with visit(standin, name) as visitor:
            answer = await visitor.client.get(RELATIONS_PATH, params={"issueId": "348115"})
            assert [entry["issueId"] for entry in answer.json()[1:]] == numbers
            assert ("344310" in await visitor.issue(348115)) == (344310 in numbers)


async def test_relations_are_a_json_list_in_which_the_issue_itself_relates_to_0(kim: Visitor) -> None:
    answer = await kim.client.get(RELATIONS_PATH, params={"issueId": "348115"})
    assert answer.headers["content-type"].startswith("application/json")
    first, *rest = answer.json()
    assert (first["issueId"], first["relationIssueId"]) == (348115, 0)
    assert [(entry["issueId"], entry["relationIssueId"]) for entry in rest] == [
        (342018, 348115),
        (347766, 348115),
    ]


async def test_relations_can_stand_the_other_way_round() -> None:
    listing = Listing(relation="relationIssueId")
    async with StandIn.demo(listing=listing) as tracker, visit(tracker, "kim") as kim:
        entries = (await kim.client.get(RELATIONS_PATH, params={"issueId": "348115"})).json()
    assert [(entry["issueId"], entry["relationIssueId"]) for entry in entries] == [
        (348115, 0),
        (348115, 342018),
        (348115, 347766),
    ]


async def test_the_relations_of_an_issue_that_is_not_there_are_an_empty_list(kim: Visitor) -> None:
    for number in ("999999999", "344310", "x"):
        assert (await kim.client.get(RELATIONS_PATH, params={"issueId": number})).json() == []


async def test_the_patch_list_is_asked_for_by_the_five_arguments_on_the_page(kim: Visitor) -> None:
    page = LexborHTMLParser(await kim.issue(341220))
    link = one(page, "a[onclick^=popupPatchList]")
    arguments = re.findall(r"'([^']*)'", link.attributes["onclick"] or "")
    assert arguments == ["P2102", "S12", "138", "Northgate Rail timetable", "York"]
    names = ("projectCode", "siteCode", "productCode", "projectName", "siteName")
    answer = await kim.client.get(PATCHES_PATH, params=dict(zip(names, arguments, strict=True)))
    links = [node.attributes["href"] or "" for node in LexborHTMLParser(answer.text).css("table a")]
    assert [link.rpartition("issueView.do?")[2] for link in links] == ["issueId=341220", "issueId=342018"]
    without = await kim.client.get(PATCHES_PATH, params=dict(zip(names[:4], arguments, strict=False)))
    assert LexborHTMLParser(without.text).css("table a") == []

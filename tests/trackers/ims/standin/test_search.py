"""The stand-in searches and lists as the tracker does, quirks included."""

from __future__ import annotations

import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.sources.ims.standin import Account, Issue, Listing, StandIn
from crawler.sources.ims.standin.columns import COLUMNS
from crawler.sources.ims.standin.products import PRODUCTS
from crawler.sources.ims.standin.search import parse_keyword
from tests.fixtures.standin import SEARCH, Visitor, one, visit


def listed(page: str) -> list[int]:
    rows = LexborHTMLParser(page).css("tr.rowClickData, tr.data")
    calls = [
        re.search(r"popBlankIssueView\('(\d+)', 'issue_search'\)", row.attributes["onclick"] or "")
        for row in rows
    ]
    return [int(call[1]) for call in calls if call]


def headers(page: str) -> list[str]:
    row = one(LexborHTMLParser(page), "tr.title")
    return [cell.text(strip=True) for cell in row.css("th, td")]


def total(page: str) -> int:
    found = re.search(r"\[ Total (\d+) ]", page)
    assert found
    return int(found[1])


async def everything(visitor: Visitor, keyword: str = "") -> list[int]:
    first = await visitor.search(keyword)
    pages = -(-total(first) // 10)
    return [number for page in range(1, pages + 1) for number in listed(await visitor.search(keyword, page))]


async def test_a_search_without_a_question_finds_everything_newest_first(
    standin: StandIn, kim: Visitor
) -> None:
    found = await everything(kim)
    seen = [number for number in standin.world.numbers() if "kim" not in standin.issue(number).hidden_from]
    assert found == seen[::-1]
    assert len(found) == total(await kim.search()) > 50


@pytest.mark.parametrize(
    "changed", [{"reSearchYN": "N"}, {"reSearchYN": None}, {"queryId": None}, {"queryId": "x"}]
)
async def test_without_research_or_query_id_there_are_no_rows(
    kim: Visitor, changed: dict[str, str | None]
) -> None:
    page = await kim.search(changed=changed)
    assert listed(page) == []
    assert total(page) == 0


async def test_a_page_has_ten_rows_whatever_size_is_asked_for(kim: Visitor) -> None:
    kim.client.cookies.set("pageSize", "500")
    assert len(listed(await kim.search(changed={"pageSize": "100"}))) == 10


async def test_a_cookie_for_the_page_size_is_honoured_where_the_server_does() -> None:
    listing = Listing(page_size_cookie=True)
    async with StandIn.demo(listing=listing) as tracker, visit(tracker, "kim") as kim:
        kim.client.cookies.set("pageSize", "500")
        assert len(listed(await kim.search())) > 50


async def test_asking_past_the_last_page_repeats_the_last_page(kim: Visitor) -> None:
    last = await kim.search(page=6)
    assert 0 < len(listed(last)) < 10
    assert listed(await kim.search(page=7)) == listed(last)
    assert listed(await kim.search(page=9999)) == listed(last)


async def test_a_new_issue_on_top_pushes_a_row_to_the_next_page(standin: StandIn, kim: Visitor) -> None:
    before = listed(await kim.search())
    newest = standin.issue(348115)
    standin.add_issue(
        Issue(number=348116, title="x", product="Tibero", status="New", registered=newest.registered)
    )
    assert listed(await kim.search()) == [348116, *before[:9]]
    assert listed(await kim.search(page=2))[0] == before[9]


@pytest.mark.parametrize(
    ("form", "selector"),
    [("id", "input#totalCount"), ("name", "input[name=totalCount]"), ("script", "script")],
)
async def test_the_total_stands_in_every_form_that_was_seen(form: str, selector: str) -> None:
    listing = Listing(total=form)  # type: ignore[arg-type]  # a literal from the table above
    async with StandIn.demo(listing=listing) as tracker, visit(tracker, "kim") as kim:
        page = await kim.search()
        assert "[ Total" not in page
        nodes = LexborHTMLParser(page).css(selector)
        assert any("58" in (node.attributes.get("value") or node.text()) for node in nodes)
        assert ("totalCount = 58" in page) == (form == "script")


async def test_rows_of_the_other_class_and_header_cells_of_the_other_kind_are_the_same_list() -> None:
    listing = Listing(row="data", header_cell="td")
    async with StandIn.demo(listing=listing) as tracker, visit(tracker, "kim") as kim:
        page = await kim.search()
        assert "rowClickData" not in page
        assert len(listed(page)) == 10
        assert headers(page)[0] == "No"


async def test_each_account_has_its_own_columns_in_its_own_order(standin: StandIn) -> None:
    found = {}
    for name in ("kim", "sato", "smith"):
        async with visit(standin, name) as visitor:
            found[name] = headers(await visitor.search())
    assert found["kim"] == list(COLUMNS[:11])
    assert found["sato"][0] == "Subject"
    assert "Issue Number" not in found["sato"]
    assert "Customer" in found["smith"]
    assert "Customer" not in found["sato"]


async def test_all_31_columns_can_be_shown() -> None:
    accounts = [Account(name="all", password="all-secret", columns=COLUMNS)]
    issues = [StandIn.demo().issue(347766)]
    async with StandIn(issues=issues, accounts=accounts) as tracker, visit(tracker, "all") as visitor:
        page = await visitor.search()
        cells = one(LexborHTMLParser(page), "tr.rowClickData").css("td")
        row = dict(zip(headers(page), [cell.text().replace("\xa0", "") for cell in cells], strict=True))
    assert len(row) == 31
    assert row["Issue Number"] == "347766"
    assert row["Date of final order"] == "2025-12-31"
    assert row["Actions"] == "2"
    assert row["Attachments"] == "2"
    assert row["Last Action"] == "2025-10-15 09:00"


async def test_each_account_sees_issues_that_the_others_do_not(standin: StandIn) -> None:
    found = {}
    for name in ("kim", "sato", "smith"):
        async with visit(standin, name) as visitor:
            found[name] = set(await everything(visitor))
    for name, seen in found.items():
        others = set().union(*(numbers for other, numbers in found.items() if other != name))
        assert seen - others, name


async def test_a_field_that_is_hidden_from_an_account_is_not_searched_for_it(standin: StandIn) -> None:
    async with visit(standin, "smith") as smith, visit(standin, "sato") as sato:
        for keyword, seen in (("+'northgate rail'", False), ("+'concatenated dataset'", True)):
            assert 342018 in await everything(smith, keyword)
            assert (342018 in await everything(sato, keyword)) is seen


async def test_the_order_can_be_turned_round(kim: Visitor) -> None:
    page = listed(await kim.search(changed={"orderType": "asc"}))
    assert page == sorted(page)
    assert page[0] == 312007


async def test_the_search_page_lists_the_products_with_their_codes(kim: Visitor) -> None:
    options = LexborHTMLParser((await kim.client.get(SEARCH)).text).css("select#productCodes option")
    assert {option.text(): option.attributes["value"] for option in options} == PRODUCTS
    assert PRODUCTS["Tibero"] == "070"


async def test_product_codes_are_repeated_and_add_up(standin: StandIn, kim: Visitor) -> None:
    for codes in (["640"], ["640", "425"], ["999"]):
        found = listed(await kim.search(changed={"productCodes": codes}))
        wanted = {name for name, code in PRODUCTS.items() if code in codes}
        assert {standin.issue(number).product for number in found} == (
            wanted if "999" not in codes else set()
        )


TEXT = "tmax reports an error log entry: connection timeout -5213, don't panic"


@pytest.mark.parametrize(
    ("keyword", "hit"),
    [
        ("", True),
        ("timeout crash", True),  # a space means OR
        ("crash freeze", False),
        ("+timeout +crash", False),  # both are required
        ("+timeout +panic", True),
        ("+timeout freeze", True),  # what is optional need not be there
        ("freeze +crash timeout", False),
        ("'connection timeout'", True),
        ("'timeout connection'", False),
        ("+'connection timeout' crash", True),
        ("+'connection  timeout'", True),
        ("+'timeout connection' error", False),
        ("TIMEOUT", True),
        ("don't", True),  # a quote inside a word is part of it
        ("348115", True),  # the issue's number
        ("34811", False),  # not a part of it
        ("5213", False),  # a bare number is no word
        ("'5213'", True),
        ("+5213", True),
        ("-5213", True),  # a hyphen is no operator: the word is in the text
        ("-crash", False),  # …and this one is not
        ("timeout -panic", True),
        ("+ timeout", True),  # the plus sign alone is a word of its own
        ("+ crash", False),
        ('"connection timeout"', False),  # only single quotes are an operator
        ("'  '", True),
    ],
)
def test_the_query_syntax_is_the_trackers_own(keyword: str, hit: bool) -> None:
    assert (parse_keyword(keyword).score(348115, TEXT) is not None) is hit


async def test_what_is_optional_beside_a_required_word_comes_first(kim: Visitor) -> None:
    found = await everything(kim, "+tibero 'rollback segment'")
    assert found[0] == 340012
    assert found[1:] == sorted(found[1:], reverse=True)
    assert found[1] > 340012


@pytest.mark.parametrize(
    ("keyword", "number"),
    [
        ("348115", 348115),
        ("+교착", 348002),
        ("文字化け", 341500),
        ("+'rollback segment'", 340012),
        ("-12003", 347650),
    ],
)
async def test_questions_in_three_languages_find_their_issue(kim: Visitor, keyword: str, number: int) -> None:
    assert number in await everything(kim, keyword)


async def test_a_hostile_question_is_shown_as_text(kim: Visitor) -> None:
    page = await kim.search('"><script>alert(1)</script>')
    assert "<script>alert(1)" not in page

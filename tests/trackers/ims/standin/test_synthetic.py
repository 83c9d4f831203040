"""Generated issues are cheap, the same at every run, and otherwise issues like others."""

from __future__ import annotations

import pytest

from crawler.sources.ims.standin import Listing, StandIn
from crawler.sources.ims.standin.accounts import DEMO
from crawler.sources.ims.standin.issue_page import issue_page
from crawler.sources.ims.standin.model import Account
from crawler.sources.ims.standin.products import PRODUCTS
from crawler.sources.ims.standin.state import World
from crawler.sources.ims.standin.synthetic import FIRST_NUMBER, Synthetic
from tests.fixtures.standin import visit


@pytest.mark.parametrize("account", DEMO, ids=lambda account: account.name)
def test_the_quick_page_is_the_ordinary_page_to_the_byte(account: Account) -> None:
    generator = Synthetic(300, Listing())
    for number in generator.numbers:
        ordinary = issue_page(generator.issue(number), (), account, Listing())
        assert generator.page(number, account) == ordinary.encode()


def test_a_page_has_the_usual_size_and_content() -> None:
    generator = Synthetic(1000, Listing())
    issues = [generator.issue(number) for number in generator.numbers]
    sizes = [len(generator.page(number, DEMO[0])) for number in generator.numbers[:20]]
    assert all(50_000 < size < 56_000 for size in sizes)
    assert {len(issue.actions) for issue in issues} == {3}
    assert {len(issue.changes) for issue in issues} == {3}
    assert sum(len(issue.files) for issue in issues) == 500
    assert len({issue.title for issue in issues}) == 1000
    assert len({issue.status for issue in issues}) == 6


def test_the_same_number_is_the_same_issue_at_every_run() -> None:
    assert Synthetic(10, Listing()).issue(FIRST_NUMBER + 5) == Synthetic(9999, Listing()).issue(
        FIRST_NUMBER + 5
    )


def test_the_searched_text_is_the_text_of_the_issue() -> None:
    generator = Synthetic(100, Listing())
    for number in generator.numbers:
        issue = generator.issue(number)
        texts = (issue.title, issue.product, issue.description, *(action.text for action in issue.actions))
        assert generator.searched_text(number).split() == " ".join(texts).lower().split()


def test_what_a_search_finds_is_in_the_issue() -> None:
    generator = Synthetic(500, Listing())
    world = World(generator=generator)
    hits = world.find("+'connection timeout' +tibero", frozenset({PRODUCTS["Tibero"]}), DEMO[0])
    assert 0 < len(hits) < 500
    for number in hits:
        issue = generator.issue(number)
        words = " ".join((issue.title, issue.description, *(action.text for action in issue.actions)))
        assert issue.product == "Tibero"
        assert "connection timeout" in words


async def test_generated_issues_are_served_listed_edited_and_removed() -> None:
    async with StandIn(synthetic=25) as tracker, visit(tracker, "sato") as sato:
        last = FIRST_NUMBER + 24
        assert "[ Total 25 ]" in await sato.search()
        assert f"popBlankIssueView('{last}'" in await sato.search()
        assert f"(case {last})" in await sato.issue(last)
        tracker.edit_issue(last, title="edited by hand")
        assert "edited by hand" in await sato.issue(last)
        tracker.remove_issue(last)
        assert "does not exist" in await sato.issue(last)
        assert "[ Total 24 ]" in await sato.search()
        file = tracker.issue(FIRST_NUMBER + 1).files[0]
        params = {"fileId": str(file.number), "fileType": "ISSUE"}
        answer = await sato.client.get("/tody/common/file/downloadFile.do", params=params)
        assert answer.content == file.content

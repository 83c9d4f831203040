"""The lists beside an issue's page add to it; where one is broken, the issue is whole all the same."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from crawler.client import Client
from crawler.records import IssueRecord
from crawler.source import Connection, RawPage, Reference
from crawler.sources.ims.parse import parse_issue
from crawler.sources.ims.parse.issue import ImsParser
from crawler.sources.ims.source import ImsSource
from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.messages import Answer, Request
from crawler.sources.ims.standin.routes import Site
from tests.trackers.ims.test_pages import SAMPLE, URL

PATCH = '<table><tr><td><a href="/tody/ims/issue/issueView.do?issueId=9">9</a></td></tr></table>'
PATCHED = 342018  # its project has a patch list


def read(part: str, body: str) -> IssueRecord:
    page = RawPage(url=URL, body=SAMPLE.encode())
    beside = RawPage(url="http://ims.example/x", body=body.encode(), part=part)
    return parse_issue([page, beside], zone=ZoneInfo("Asia/Seoul"))


@pytest.mark.parametrize(
    ("part", "body", "found", "told"),
    [
        ("relations", '[{"issueId": 8, "relationIssueId": 7}]', ["8"], None),
        ("relations", '{"count": 1, "list": [{"issueId": "8", "relationIssueId": "7"}]}', ["8"], None),
        ("relations", "[]", [], None),
        ("relations", "", [], "not JSON"),
        ("relations", "<html>error</html>", [], "not JSON"),
        ("relations", '[{"issueId": 8', [], "not JSON"),
        ("relations", "[" * 100_000, [], "not JSON"),
        ("relations", '{"error": "no"}', [], "not a list"),
        ("relations", "null", [], "not a list"),
        ("relations", '[{"issueId": 8}, {"id": 9}, 3]', ["8"], "2 entries without a number"),
        ("patches", f"<html><body>{PATCH}</body></html>", ["9"], None),
        ("patches", f"<html><body>{PATCH}", ["9"], "cut off"),
        ("patches", "", [], "cut off"),
        ("patches", "<div>" * 400_000, [], "cannot be read"),
    ],
)
def test_a_broken_list_is_a_warning_and_what_can_be_read_of_it_is_kept(
    part: str, body: str, found: list[str], told: str | None
) -> None:
    record = read(part, body)
    assert (record.title, len(record.comments)) == ("Title", 3)
    assert [relation.related_issue_id for relation in record.relations] == found
    assert len(record.warnings) == (told is not None)
    assert told is None or told in record.warnings[0]


@pytest.mark.parametrize(
    ("path", "told"), [("findRelationIssues.do", "related issues"), ("patchList.do", "patch list")]
)
async def test_a_list_that_cannot_be_had_costs_no_issue(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, path: str, told: str
) -> None:
    answer = Site.answer

    def without(site: Site, request: Request) -> Answer:
        return Answer(status=404) if request.path.endswith(path) else answer(site, request)

    options = {"relations": True, "patches": True}
    connection = Connection(base_url=standin.url, username="kim", password="kim-secret", options=options)
    async with Client(standin.url, concurrency=1) as client:
        source = ImsSource(connection, client)
        reference = Reference(issue_id=str(PATCHED))
        parse: Callable[..., IssueRecord] = ImsParser(connection).parse
        whole = parse(await source.fetch(reference))
        assert whole.warnings == ()
        monkeypatch.setattr(Site, "answer", without)
        record = parse(await source.fetch(reference))
    assert [told in warning for warning in record.warnings] == [True]
    assert record.comments == whole.comments

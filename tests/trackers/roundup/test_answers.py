"""What is made of Roundup's answers, and of answers that are none."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import Forbidden, LoginRefused, NotPermitted, PageRejected, TrackerError
from crawler.records import ChangeRecord, State
from crawler.source import Connection, RawPage, Reference
from crawler.sources.roundup.parse.history import ENGINES, read_history
from crawler.sources.roundup.parse.issue import RoundupParser, account_page
from crawler.sources.roundup.source import RoundupSource
from tests.fixtures.api_server import ApiServer, Asked, Reply

BASE = "http://r.example.com/tracker"
UTC_ZONE = ZoneInfo("UTC")
ROW = "<tr><td>2026-01-02&nbsp;03:04:05</td><td>kim</td><td>{}</td><td>{}</td></tr>"


def page_of(*rows: str) -> str:
    head = '<tr><th colspan="4" class="header">History</th></tr>'
    table = f'<table class="history table">{head}{"".join(rows)}</table>'
    return f"<html><body><p>issue</p>{table}</body></html>"


def link(number: int, name: str, kind: str = "user") -> dict[str, Any]:
    return {"id": str(number), "link": f"{BASE}/rest/data/{kind}/{number}", "username": name}


ISSUE: dict[str, Any] = {
    "id": "7",
    "link": f"{BASE}/rest/data/issue/7",
    "title": "Timeout",
    "activity": "2026-01-03.00:00:00",
    "creation": "2026-01-02.03:04:05",
    "creator": link(3, "kim"),
    "actor": link(3, "kim"),
    "assignedto": None,
    "status": link(1, "unread"),
    "priority": link(2, "bug"),
    "keyword": [link(1, "Kernel"), link(2, "Net")],
    "nosy": [],
    "superseder": [{"id": "9", "title": "Other"}],
    "messages": [{"id": "11"}, {"id": "2"}],
    "files": [{"id": "4", "name": "a"}],
    "level": 3,
}
MESSAGES = [
    {
        "id": "11",
        "author": link(3, "kim"),
        "content": "second\r\nline",
        "date": None,
        "creation": "2026-01-03.00:00:00",
    },
    {"id": "2", "author": None, "content": None, "date": "2026-01-02.03:04:05"},
    {"id": "99", "content": "of another issue"},
]
FILES = [{"id": "4", "name": "a b.log", "type": "text/plain", "creator": link(3, "kim")}]


def rows(found: list[Any]) -> bytes:
    return json.dumps({"data": {"collection": found, "@total_size": len(found)}}).encode()


def pages(issue: Any = None, html: str | None = None, zone: str | None = None) -> list[RawPage]:
    return [
        RawPage(
            url=f"{BASE}/rest/data/issue?id=7&%40verbose=3", body=rows([ISSUE if issue is None else issue])
        ),
        RawPage(url=BASE, body=rows(MESSAGES), part="messages/1"),
        RawPage(url=BASE, body=rows(FILES), part="files/1"),
        RawPage(url=BASE, body=(page_of() if html is None else html).encode(), part="history"),
        RawPage(url=BASE, body=account_page(zone), part="account"),
    ]


PARSER = RoundupParser(Connection(base_url=BASE))


def test_every_field_has_its_place() -> None:
    record = PARSER.parse(pages())
    assert (record.issue_id, record.url, record.title) == ("7", f"{BASE}/issue7", "Timeout")
    assert (record.product, record.status, record.state) == ("Kernel, Net", "unread", State.OPEN)
    assert (record.priority, record.reporter, record.owner) == ("bug", "kim", None)
    assert record.description == ""  # of the first message
    assert [(each.source_id, each.author, each.content) for each in record.comments] == [
        ("11", "kim", "second\nline")
    ]
    (file,) = record.attachments
    assert (file.filename, file.download_url) == ("a b.log", f"{BASE}/rest/data/file/4/binary_content")
    assert [(each.related_issue_id, each.title) for each in record.relations] == [("9", "Other")]
    assert (record.extra["keyword"], record.extra["level"], record.extra["nosy"]) == (
        ["Kernel", "Net"],
        3,
        [],
    )
    assert record.modified_date == datetime(2026, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "name", "old", "new"),
    [
        ("status: unread -&gt; chatting", "status", "unread", "chatting"),
        ("assignedto: <a href='user3'>kim</a>", "assignedto", None, "kim"),
        ("assignedto: kim -> <a href='userNone'></a>", "assignedto", "kim", None),
        ("nosy:\n  + <a>kim</a>, lee, - park", "nosy", "park", "kim, lee"),
        ("title: (no value)", "title", None, None),
        ("title: a -> b -> c", "title", None, None),
    ],
)
def test_a_line_of_the_history_under_both_engines(
    line: str, name: str, old: str | None, new: str | None
) -> None:
    html = page_of(ROW.format("set", line), ROW.format("create", ""))
    (created, change), warning = read_history(html, ZoneInfo("Asia/Seoul"))
    assert (created.change_type, warning) == ("created", None)
    assert (change.field_name, change.old_value, change.new_value) == (name, old, new)
    assert change.changed_at == datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC)
    assert (change.description is None) == ((old, new) != (None, None))
    document = [engine(html).select_one("table.history") for engine in ENGINES]
    assert None not in document


def test_words_that_are_no_values_are_kept() -> None:
    html = page_of(ROW.format("link", "<a>issue5 superseder</a>"), ROW.format("set", "<strong>odd</strong>"))
    found, _ = read_history(html, UTC_ZONE)
    assert [(each.change_type, each.description) for each in found] == [
        ("text", "odd"),
        ("relation", "link issue5 superseder"),
    ]


@pytest.mark.parametrize(
    ("zone", "hour"), [("9", 18), ("+2", 1), ("-3", 6), ("Asia/Seoul", 18), ("nonsense", 3)]
)
def test_the_zone_of_an_account_is_a_name_or_hours(zone: str, hour: int) -> None:
    record = PARSER.parse(pages(html=page_of(ROW.format("create", "")), zone=zone))
    assert record.history[0].changed_at is not None
    assert record.history[0].changed_at.hour == hour


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ISSUE.items() if key != name}


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (pages({**ISSUE, "id": "8"}), "of issue 8"),
        (pages(_without("title")), "title"),
        (pages({**ISSUE, "title": " "}), "no title"),
        (pages({**ISSUE, "messages": None}), "null instead of a list"),
        (pages(html="<html><body>"), "end of the issue's page"),
        (pages(html="<html><body>Please log in</body></html>"), "no history"),
        (pages(html=page_of(ROW.replace("2026-01-02", "once").format("set", ""))), "no date"),
        (pages()[1:], "page of the issue"),
        (pages()[:3], "history"),
        ([RawPage(url=BASE, body=b"<html>")], "not JSON"),
        ([RawPage(url=BASE, body=rows([]))], "one issue"),
    ],
)
def test_what_is_not_as_promised_is_rejected(broken: list[RawPage], sentence: str) -> None:
    with pytest.raises(PageRejected, match=sentence):
        PARSER.parse(broken)


_PLACES = [(key,) for key in ISSUE] + [(key, inner) for key in ISSUE for inner in ("id", 0, "link", "title")]
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.sampled_from(["\x00", "\ud800", "2026-13-01.99", "9" * 30]),
    st.lists(
        st.none() | st.dictionaries(st.sampled_from(["id", "name"]), st.none() | st.text(max_size=2)),
        max_size=2,
    ),
    st.dictionaries(st.sampled_from(["id", "name"]), st.none() | st.integers(), max_size=2),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_PLACES), _ODD), min_size=1, max_size=3))
def test_any_answer_shaped_nearly_right_gives_an_issue_or_a_rejection(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    issue = copy.deepcopy(ISSUE)
    for place, value in changes:
        node: Any = issue
        try:
            for key in place[:-1]:
                node = node[key]
            node[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    try:
        record = PARSER.parse(pages(issue))
    except PageRejected:
        return
    assert record.issue_id == "7"
    assert record.title.strip()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:->+, ()\n\xa0", max_size=60))
def test_any_line_of_values_gives_a_change(line: str) -> None:
    html = page_of(ROW.format("set", line.replace("<", "").replace(">", "&gt;")))
    found, _ = read_history(html, UTC_ZONE)
    assert all(isinstance(each, ChangeRecord) and each.changed_by == "kim" for each in found)
    assert found


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A server that answers with whatever a test says."""
    server = ApiServer()
    with server.serving():
        yield server


PAGE = Reply(b"<html>log in</html>", headers={"content-type": "text/html"})


@pytest.mark.parametrize(
    ("reply", "error", "sentence"),
    [
        (Reply(b"Invalid Login", 401), LoginRefused, "kim"),
        (Reply({"error": {"status": 403, "msg": "Forbidden."}}, 403), NotPermitted, "REST"),
        (Reply(b"", 404), TrackerError, "enable_rest"),
        (PAGE, TrackerError, "not JSON"),
        (Reply({"data": {"collection": None, "@total_size": 1}}), TrackerError, "collection"),
        (Reply({"data": {}}), TrackerError, "collection"),
    ],
)
async def test_a_tracker_that_is_none_says_what_to_do(
    api: ApiServer, reply: Reply, error: type[Exception], sentence: str
) -> None:
    api.before.append(lambda asked: reply)
    connection = Connection(base_url=api.url, username="kim", password="x")
    async with Client(api.url) as client:
        source = RoundupSource(connection, client)
        with pytest.raises(error, match=sentence):
            await source.login()
        with pytest.raises(error):
            [page async for page in source.search(None)]


async def test_a_list_without_a_total_is_none(api: ApiServer) -> None:
    api.before.append(lambda asked: Reply({"data": {"collection": []}}))
    async with Client(api.url) as client:
        source = RoundupSource(Connection(base_url=api.url), client)
        with pytest.raises(TrackerError, match="how many"):
            [page async for page in source.search(None)]


async def test_issues_that_are_retired_while_a_list_is_read_hide_no_others(api: ApiServer) -> None:
    alive = set(range(1, 13))

    def listed(asked: Asked) -> Reply:
        size, index = int(asked.one("@page_size")), int(asked.one("@page_index"))
        found = [{"id": str(number)} for number in sorted(alive, reverse=True)]
        total = len(found) if found[(index - 1) * size :] else (index - 1) * size  # as Roundup counts
        return Reply({"data": {"collection": found[(index - 1) * size : index * size], "@total_size": total}})

    api.route("GET", "/rest/data/issue", listed)
    seen: list[str] = []
    async with Client(api.url) as client:
        source = RoundupSource(Connection(base_url=api.url, options={"page_size": 3}), client)
        async for page in source.search(None):
            seen += [ref.issue_id for ref in page.references]
            if len(seen) < 9:
                alive -= {max(alive), max(alive) - 1}
    assert alive <= set(map(int, seen))
    assert len(seen) == len(set(seen))


async def test_a_hidden_issue_is_forbidden(api: ApiServer) -> None:
    api.before.append(lambda asked: Reply({"error": {"status": 403, "msg": "Forbidden."}}, 403))
    async with Client(api.url) as client:
        source = RoundupSource(Connection(base_url=api.url), client)
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="1"))

"""What is made of RT's answers, and of answers that are shaped nearly right."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crawler.errors import PageRejected
from crawler.records import State
from crawler.source import Connection, RawPage
from crawler.sources.rt.parse.names import Names, read_names
from crawler.sources.rt.parse.ticket import RtParser
from crawler.sources.rt.parse.transactions import html_as_text
from crawler.sources.rt.parse.values import moment_of

BASE = "https://rt.example.com"
API = f"{BASE}/REST/2.0"
PARSER = RtParser(Connection(base_url=BASE))


def person(name: str) -> dict[str, Any]:
    return {"id": name, "type": "user", "_url": f"{API}/user/{name}"}


def link(ref: str, number: str) -> dict[str, Any]:
    return {"ref": ref, "type": "ticket", "id": number, "_url": f"{API}/ticket/{number}"}


TICKET: dict[str, Any] = {
    "id": 7,
    "EffectiveId": {"id": "7", "type": "ticket", "_url": f"{API}/ticket/7"},
    "Subject": "Timeout",
    "Status": "open",
    "Priority": "20",
    "Queue": {"id": "3", "type": "queue", "_url": "", "Name": "Net work", "Lifecycle": "slow"},
    "Owner": person("Nobody"),
    "Creator": person("gateway"),
    "Requestor": [person("asker@example.com"), person("other@example.com")],
    "Cc": [],
    "Created": "2026-01-02T03:04:05Z",
    "LastUpdated": "2026-01-03T03:04:05Z",
    "Resolved": "1970-01-01T00:00:00Z",
    "Due": "1970-01-01T00:00:00Z",
    "Starts": "2026-02-01T00:00:00Z",
    "TimeWorked": "30",
    "CustomFields": [
        {"id": "9", "name": "Tags", "values": ["b", "a"]},
        {"id": "2", "name": "Severity", "values": ["high"]},
        {"id": "4", "name": "Severity", "values": []},
        {"id": "5", "name": "Status", "values": ["of a field"]},
    ],
    "_hyperlinks": [link("self", "7"), link("refers-to", "12"), link("child", "9"), {"ref": "history"}],
}
HISTORY: list[dict[str, Any]] = [
    {
        "id": "90",
        "Type": "Comment",
        "Creator": person("kim"),
        "Created": "2026-01-03T00:00:00Z",
        "Data": "Re: x",
    },
    {"id": "40", "Type": "Create", "Creator": person("gateway"), "Created": "2026-01-02T03:04:05Z"},
    {"id": "41", "Type": "EmailRecord", "Creator": person("RT_System"), "Data": "<a@b>"},
    {"id": "50", "Type": "CustomField", "Field": "2", "OldValue": "low", "NewValue": "high"},
    {"id": "51", "Type": "CustomField", "Field": "77", "OldValue": "", "NewValue": "x"},
    {"id": "52", "Type": "Set", "Field": "Queue", "OldValue": "1", "NewValue": "3", "Data": ""},
    {"id": "53", "Type": "AddLink", "Field": "DependsOn", "NewValue": "fsck.com-rt://example.com/ticket/12"},
    {"id": "54", "Type": "Forward Ticket", "Data": "to somebody", "TimeTaken": "5"},
]
ATTACHED: list[dict[str, Any]] = [
    {"id": "1", "TransactionId": "40", "ContentType": "text/html", "Filename": ""},
    {"id": "2", "TransactionId": "90", "ContentType": "multipart/alternative", "Filename": ""},
    {"id": "3", "TransactionId": "90", "ContentType": "text/plain", "Filename": ""},
    {"id": "4", "TransactionId": "90", "ContentType": "text/html", "Filename": ""},
    {"id": "6", "TransactionId": "90", "ContentType": "message/rfc822", "Filename": None},
    {"id": "5", "TransactionId": "90", "ContentType": "image/png", "Filename": "", "ContentLength": "12"},
]
BODIES = [{"id": "1", "Content": "<p>It <i>fails</i></p>"}, {"id": "3", "Content": "a\r\nb\n"}]
NAMES = Names(names={"queue": {"1": "General", "3": "Net work"}}, is_closed=False)
ANSWERS: dict[str, Any] = {
    "issue": TICKET,
    "history/1": {"items": HISTORY, "total": 8},
    "attachments/1": {"items": ATTACHED, "total": None},
    "bodies/1": {"items": BODIES, "total": None},
}


def pages(answers: dict[str, Any], names: bytes | None = None) -> list[RawPage]:
    paths = {"issue": "ticket/7?fields%5BQueue%5D=Name", "history/1": "ticket/7/history?page=1"}
    found = [
        RawPage(url=f"{API}/{paths.get(part, part)}", body=json.dumps(answer).encode(), part=part)
        for part, answer in answers.items()
    ]
    return [*found, RawPage(url=f"{API}/rt", body=NAMES.page() if names is None else names, part="names")]


def test_every_field_has_its_place() -> None:
    record = PARSER.parse(pages(ANSWERS))
    assert (record.issue_id, record.url) == ("7", f"{BASE}/Ticket/Display.html?id=7")
    assert (record.product, record.status, record.state, record.priority) == (
        "Net work",
        "open",
        State.OPEN,
        "20",
    )
    assert (record.reporter, record.owner, record.closed_date) == ("asker@example.com", None, None)
    assert record.registered_date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert record.description == "It fails"
    assert [(each.source_id, each.content, each.is_private) for each in record.comments] == [
        ("90", "a\nb", True)
    ]
    assert [(each.filename, each.file_size, each.download_url) for each in record.attachments] == [
        ("attachment 5", 12, f"{API}/attachment/5")
    ]
    assert [(each.relation_type, each.related_issue_id) for each in record.relations] == [
        ("child", "9"),
        ("refers-to", "12"),
    ]
    assert record.extra == {
        "Requestor": ["asker@example.com", "other@example.com"],
        "Cc": [],
        "Starts": "2026-02-01T00:00:00Z",
        "TimeWorked": "30",
        "Creator": "gateway",
        "Lifecycle": "slow",
        "subjects": {"90": "Re: x"},
        "minutes": {"54": "5"},
        "markup": {"format": "html", "description": "<p>It <i>fails</i></p>", "comments": {}},
        "Severity": "high",
        "Severity (4)": None,
        "Status (5)": "of a field",
        "Tags": ["b", "a"],
    }
    said = [(each.change_type, each.field_name, each.old_value, each.new_value) for each in record.history]
    assert said == [
        ("created", None, None, None),
        ("field", "Severity", "low", "high"),
        ("field", "custom field 77", None, "x"),
        ("field", "Queue", "General", "Net work"),
        ("relation", "DependsOn", None, "12"),
        ("text", None, None, None),
    ]
    assert record.history[-1].description == "Forward Ticket to somebody"
    assert record.history_announced == len(record.history)


def test_the_order_of_rts_hashes_makes_no_difference() -> None:
    shuffled = copy.deepcopy(ANSWERS)
    shuffled["issue"] = dict(reversed(shuffled["issue"].items()))
    for name in ("CustomFields", "_hyperlinks"):
        shuffled["issue"][name].reverse()
    shuffled["history/1"]["items"].reverse()
    assert PARSER.parse(pages(shuffled)) == PARSER.parse(pages(ANSWERS))


@pytest.mark.parametrize(
    ("status", "is_closed", "state"),
    [
        ("open", None, State.OPEN),
        ("rejected", None, State.DONE),
        ("stalled", None, State.UNKNOWN),
        ("stalled", False, State.OPEN),
        ("resolved", False, State.IN_PROGRESS),
        ("anything", True, State.DONE),
        ("in progress", False, State.IN_PROGRESS),
    ],
)
def test_the_lifecycle_decides(status: str, is_closed: bool | None, state: State) -> None:
    answers = {**ANSWERS, "issue": {**TICKET, "Status": status}}
    assert PARSER.parse(pages(answers, Names(is_closed=is_closed).page())).state is state


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("issue", {"id": 8}),  # another ticket's
        ("issue", {"id": 8, "EffectiveId": person("7")}),
        ("issue", {"Status": " "}),
        ("issue", {"Status": None}),
        ("history/1", {"items": []}),
        ("history/1", {"items": None}),
        ("bodies/1", {"items": BODIES[:1]}),  # a text is missing
        ("attachments/1", {"items": [{"id": "../1", "ContentType": "image/png", "Filename": "x"}]}),
    ],
)
def test_what_is_no_ticket_is_rejected(part: str, changed: dict[str, Any]) -> None:
    with pytest.raises(PageRejected):
        PARSER.parse(pages({**ANSWERS, part: {**ANSWERS[part], **changed}}))


def test_a_merged_ticket_is_the_other_one_with_what_both_say() -> None:
    ticket = {**TICKET, "id": 8, "EffectiveId": {"id": "8"}}
    history = [{**each, "ObjectId": "8"} for each in HISTORY]
    history.append({"id": "9", "Type": "Create", "Creator": person("kim"), "ObjectId": "7"})
    attached = [*ATTACHED, {"id": "8", "TransactionId": "9", "ContentType": "text/plain"}]
    bodies = [*BODIES, {"id": "8", "Content": "of the older one"}]
    answers = {"issue": ticket, "history/1": {"items": history}, "attachments/1": {"items": attached}}
    found = pages({**answers, "bodies/1": {"items": bodies}})
    moved = [
        replace(page, url=f"{API}/ticket/8/history") if page.part == "history/1" else page for page in found
    ]
    record = PARSER.parse(moved)
    assert (record.issue_id, record.description) == ("8", "It fails")
    assert [each.content for each in record.comments] == ["of the older one", "a\nb"]
    assert [each.relation_type for each in record.relations if each.related_issue_id == "7"] == ["merged"]
    other = pages({**answers, "issue": {**ticket, "EffectiveId": {"id": "7"}}, "bodies/1": {"items": bodies}})
    with pytest.raises(PageRejected, match="ticket 8"):
        PARSER.parse([moved[1], *(page for page in other if page.part != "history/1")])


@pytest.mark.parametrize("subject", [None, "", "  "])
def test_a_ticket_without_a_subject_is_called_as_rt_calls_it(subject: str | None) -> None:
    answers = {**ANSWERS, "issue": {**TICKET, "Subject": subject}}
    assert PARSER.parse(pages(answers)).title == "(No subject given)"


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document, at any depth."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in pairs for place in _places(each, (*path, key)))]


_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.sampled_from(["\x00", "\ud800", "2026-13-01T99", "9" * 30, "<", "<p>", "text/html", "Create"]),
    st.lists(st.none() | st.text(max_size=2), max_size=2),
    st.dictionaries(st.sampled_from(["id", "_url", "Name"]), st.none() | st.integers(), max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_places(ANSWERS)[1:]), _ODD), min_size=1, max_size=3))
def test_any_answer_shaped_nearly_right_gives_a_ticket_or_a_rejection(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    answers = copy.deepcopy(ANSWERS)
    for place, value in changes:
        node: Any = answers
        try:
            for key in place[:-1]:
                node = node[key]
            node[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    try:
        record = PARSER.parse(pages(answers))
    except PageRejected:
        return
    assert record.issue_id == "7"
    assert record.title.strip()
    assert (record.status or "").strip()


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="<>/abpdivhtml &;=\"'\n-!", max_size=80))
def test_any_html_gives_a_text(html: str) -> None:
    shown = html_as_text(html)
    assert shown.strip() or not html.strip()


@given(st.dictionaries(st.sampled_from(["user", "queue"]), st.dictionaries(st.text(), st.text())))
def test_names_are_read_as_they_were_written(names: dict[str, dict[str, str]]) -> None:
    for is_closed in (True, False, None):
        written = Names(names=names, is_closed=is_closed)
        assert read_names(written.page()).page() == written.page()


@given(st.text(max_size=30) | st.datetimes().map(str))
def test_times_are_aware_and_never_that_of_nothing(text: str) -> None:
    moment = moment_of(text)
    assert moment is None or (moment.tzinfo is UTC and moment.year >= 1970)
    assert moment_of("1970-01-01T00:00:00Z") is None

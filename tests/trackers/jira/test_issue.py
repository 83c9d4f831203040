"""Issues as Jira tells them, and what is to be read from them.

A case is a file of `golden/`: `pages`, each with its address, part and JSON, and either the `record` that is
read from them or, under `rejected`, the sentence of the refusal.
"""

from __future__ import annotations

import copy
import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import asdict

from crawler.errors import PageRejected
from crawler.records import IssueRecord, State
from crawler.source import Connection, RawPage
from crawler.sources.jira.parse.issue import JiraParser

GOLDEN = sorted(Path(__file__).with_name("golden").glob("*.json"))
CASES = [case for path in GOLDEN if "record" in (case := json.loads(path.read_text("utf-8")))]
PARSER = JiraParser(Connection(base_url="https://jira.example.com"))
RECORDED = "IMS_RECORDED_ANSWERS"  # names a folder with answers of real trackers, if there is one


def pages_of(case: dict[str, Any]) -> list[RawPage]:
    return [
        RawPage(url=each["url"], part=each["part"], body=json.dumps(each["json"]).encode())
        for each in case["pages"]
    ]


def as_json(record: IssueRecord) -> Any:
    """A record as plain JSON, fields without a value left out."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, Struct):
            value = asdict(value)
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items() if each not in (None, (), {}, False)}
        return [plain(each) for each in value] if isinstance(value, list | tuple) else value

    return plain(record)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_answer_gives_its_record(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    if "rejected" in case:
        with pytest.raises(PageRejected) as refusal:
            PARSER.parse(pages_of(case))
        assert str(refusal.value) == case["rejected"]
    else:
        assert as_json(PARSER.parse(pages_of(case))) == case["record"]


def test_what_only_looking_at_an_issue_changes_is_left_out() -> None:
    case = copy.deepcopy(CASES[-1])
    before = PARSER.parse(pages_of(case))
    fields = case["pages"][0]["json"]["fields"]
    fields["lastViewed"] = "2031-01-01T00:00:00.000+0000"
    fields["watches"] = {"watchCount": fields["watches"]["watchCount"], "isWatching": True}
    assert PARSER.parse(pages_of(case)) == before


def test_no_page_is_no_issue() -> None:
    with pytest.raises(PageRejected, match="missing"):
        PARSER.parse([])


ODD = st.sampled_from([None, "", "x", 0, -1, 2**70, 1.5, True, [], {}, [None], {"a": None}, "\ud800\x00"])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, each in inside for place in places(each, (*path, key))]


@settings(max_examples=400)
@given(data=st.data())
def test_an_answer_shaped_nearly_right_gives_a_record_or_a_rejection(data: st.DataObject) -> None:
    case = copy.deepcopy(data.draw(st.sampled_from(CASES)))
    document = data.draw(st.sampled_from(case["pages"]))["json"]
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(document)))
        inside = document
        for step in way:
            inside = inside[step]
        if data.draw(st.booleans()) and isinstance(inside, dict):
            del inside[last]
        else:
            inside[last] = copy.deepcopy(data.draw(ODD))
        if not places(document):
            break
    try:
        record = PARSER.parse(pages_of(case))
    except PageRejected:
        return
    assert record.issue_id
    assert record.status
    assert isinstance(record.state, State)
    times = [record.registered_date, record.modified_date, *(each.changed_at for each in record.history)]
    assert all(time.tzinfo is UTC for time in times if time is not None)
    assert record.comments_announced in (None, len(record.comments))
    assert json.dumps(as_json(record))


def test_a_status_of_its_own_has_the_state_of_its_category() -> None:
    case = copy.deepcopy(CASES[-1])
    status = case["pages"][0]["json"]["fields"]["status"]
    states = []
    for key in ("new", "indeterminate", "done", "undefined"):
        status |= {"name": "Bereit zum Test", "statusCategory": {"key": key}}
        states.append(PARSER.parse(pages_of(case)).state)
    assert states == [State.OPEN, State.IN_PROGRESS, State.DONE, State.UNKNOWN]


def test_the_order_of_an_answer_does_not_matter() -> None:
    for case in CASES:
        turned = copy.deepcopy(case)
        issue = turned["pages"][0]["json"]
        for rows in (issue["changelog"]["histories"], issue["fields"].get("comment", {}).get("comments", [])):
            rows.reverse()
        assert PARSER.parse(pages_of(turned)) == PARSER.parse(pages_of(case))


@pytest.mark.skipif(RECORDED not in os.environ, reason=f"{RECORDED} names no folder of recorded answers")
def test_recorded_answers_are_read() -> None:
    read, rejected = 0, []
    with gzip.open(Path(os.environ[RECORDED]) / "jira.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line).get("json")
            rows = told.get("issues", [told]) if isinstance(told, dict) else []
            for issue in rows:
                if not (isinstance(issue, dict) and "key" in issue and "fields" in issue):
                    continue
                url = f"https://jira.example.com/rest/api/2/issue/{issue['key']}"
                try:
                    record = PARSER.parse([RawPage(url=url, body=json.dumps(issue).encode())])
                except PageRejected:
                    rejected.append(issue["key"])
                    continue
                assert record.issue_id == issue["key"]
                read += 1
    assert (read, rejected) == (29, ["TEST-1"])  # that one was cut by hand

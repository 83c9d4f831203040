"""Bugs as Bugzilla tells them, and what is to be read from them.

A case is a file of `golden/`: the JSON of a bug's four `pages`, and either the `record` that is read from
them or, under `rejected`, the sentence of the refusal.
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
from crawler.sources.bugzilla.parse.bug import BugzillaParser

GOLDEN = sorted(Path(__file__).with_name("golden").glob("*.json"))
CASES = [case for path in GOLDEN if "record" in (case := json.loads(path.read_text("utf-8")))]
PARSER = BugzillaParser(Connection(base_url="https://bugs.example.com"))
RECORDED = "IMS_RECORDED_ANSWERS"  # names a folder with answers of real trackers, if there is one


def pages_of(pages: dict[str, Any], number: object = 2) -> list[RawPage]:
    url = f"https://bugs.example.com/bugs/rest/bug/{number}"
    return [RawPage(url=url, part=part, body=json.dumps(told).encode()) for part, told in pages.items()]


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
            PARSER.parse(pages_of(case["pages"]))
        assert str(refusal.value) == case["rejected"]
    else:
        assert as_json(PARSER.parse(pages_of(case["pages"]))) == case["record"]


@pytest.mark.parametrize("part", ["issue", "comments", "history", "attachments"])
def test_a_page_that_is_missing_rejects_the_bug(part: str) -> None:
    pages = {name: told for name, told in CASES[0]["pages"].items() if name != part}
    with pytest.raises(PageRejected, match=part):
        PARSER.parse(pages_of(pages))


def test_a_bug_that_was_not_asked_for_is_rejected() -> None:
    with pytest.raises(PageRejected, match="not of the one"):
        PARSER.parse(pages_of(CASES[0]["pages"], 3))


@pytest.mark.parametrize(
    ("status", "is_open", "state"),
    [
        ("NEW", True, State.OPEN),
        ("ASSIGNED", True, State.IN_PROGRESS),
        ("IN_PROGRESS", True, State.IN_PROGRESS),
        ("RESOLVED", False, State.DONE),
        ("ON_QA", True, State.OPEN),
        ("SHIPPED_LIVE", False, State.DONE),
        ("RESOLVED", True, State.OPEN),  # an administrator may call an open one so
        ("VERIFIED", None, State.DONE),
        ("ON_QA", None, State.UNKNOWN),
    ],
)
def test_the_state_is_what_bugzilla_says_of_the_status(
    status: str, is_open: bool | None, state: State
) -> None:
    pages = copy.deepcopy(CASES[0]["pages"])
    pages["issue"] |= {"status": status, "is_open": is_open}
    assert PARSER.parse(pages_of(pages)).state is state


ODD = st.sampled_from([None, "", "x", 0, -1, 2**70, 1.5, True, [], {}, [None], {"a": None}, "\ud800\x00"])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, each in inside for place in places(each, (*path, key))]


@settings(max_examples=300)
@given(data=st.data())
def test_an_answer_shaped_nearly_right_gives_a_record_or_a_rejection(data: st.DataObject) -> None:
    pages = copy.deepcopy(data.draw(st.sampled_from(CASES)))["pages"]
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(pages)))
        inside = pages
        for step in way:
            inside = inside[step]
        if data.draw(st.booleans()) and isinstance(inside, dict):
            del inside[last]
        else:
            inside[last] = copy.deepcopy(data.draw(ODD))
        if not places(pages):
            break
    try:
        record = PARSER.parse(pages_of(pages))
    except PageRejected:
        return
    assert record.issue_id == "2"
    assert record.status
    times = [record.registered_date, record.modified_date, *(each.changed_at for each in record.history)]
    assert all(time.tzinfo is UTC for time in times if time is not None)
    assert json.dumps(as_json(record))


@pytest.mark.skipif(RECORDED not in os.environ, reason=f"{RECORDED} names no folder of recorded answers")
@pytest.mark.parametrize("name", ["bugzilla", "bugzilla-live"])
def test_recorded_bugs_are_read(name: str) -> None:
    read = 0
    with gzip.open(Path(os.environ[RECORDED]) / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        answers = [told for line in lines if isinstance(told := json.loads(line).get("json"), dict)]
    parts: dict[str, dict[str, Any]] = {"comments": {}, "history": {}, "attachments": {}}
    for told in answers:
        bugs = told.get("bugs")
        for row in bugs if isinstance(bugs, list) else []:
            if "history" in row:
                parts["history"][str(row["id"])] = row["history"]
        for number, each in (bugs if isinstance(bugs, dict) else {}).items():
            parts["attachments" if isinstance(each, list) else "comments"][number] = (
                each if isinstance(each, list) else each["comments"]
            )
    for told in answers:
        bugs = told.get("bugs")
        for row in bugs if isinstance(bugs, list) else []:
            if "summary" in row and "status" in row:
                further = {part: of.get(str(row["id"]), []) for part, of in parts.items()}
                record = PARSER.parse(pages_of({"issue": row, **further}, row["id"]))
                assert record.title
                assert len(record.history) == sum(len(each["changes"]) for each in further["history"])
                read += 1
    assert read >= 5

"""Saved pages of a real Trac, and what is to be read from them.

A case is a directory: `ticket.html` as Trac sent it (form tokens and address replaced; some then damaged),
`meta.json` with its address and content type, and `expected.json` with either the `record`, or with the
sentence of the refusal under `rejected`. Engines that cannot read the page alone are named in `rejected_by`.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict, replace

from crawler.errors import PageRejected
from crawler.records import IssueRecord
from crawler.source import RawPage
from crawler.sources.trac.parse.ticket import ENGINES, parse_ticket

CASES = sorted(Path(__file__).with_name("golden").iterdir())


def page_of(case: Path) -> RawPage:
    meta = json.loads((case / "meta.json").read_text("utf-8"))
    return RawPage(body=(case / "ticket.html").read_bytes(), **meta)


def as_json(record: IssueRecord) -> Any:
    """A record as plain JSON, fields without a value left out."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, Struct):
            value = asdict(value)
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items() if each not in (None, (), {})}
        return [plain(each) for each in value] if isinstance(value, list | tuple) else value

    return plain(record)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_saved_page_gives_its_record_under_both_engines(case: Path) -> None:
    page, expected = page_of(case), json.loads((case / "expected.json").read_text("utf-8"))
    rejected_by = expected.get("rejected_by", [])
    if "rejected" in expected:
        for engines in (ENGINES, *([engine] for engine in ENGINES)):
            with pytest.raises(PageRejected) as refusal:
                parse_ticket(page, engines=engines)
            assert str(refusal.value) == expected["rejected"]
        return
    record = parse_ticket(page)
    assert as_json(record) == expected["record"]
    of_the_page = tuple(each for each in record.warnings if "by the second engine" not in each)
    assert (of_the_page != record.warnings) == bool(rejected_by)
    for engine in ENGINES:
        if engine.__name__ in rejected_by:
            with pytest.raises(PageRejected):
                parse_ticket(page, engines=[engine])
        else:
            assert parse_ticket(page, engines=[engine]) == replace(record, warnings=of_the_page)

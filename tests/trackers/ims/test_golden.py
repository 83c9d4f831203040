"""Pages of IMS in every form that is known of it, and what is to be read from them.

A case is a directory: `issue.html` and what else was fetched, `meta.json` with addresses, content types and
options, and `expected.json` with the `record`, or with the sentence of the refusal under `rejected`. Where
the page had to be mended, the record has a warning that says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import Struct
from msgspec.structs import asdict, replace

from crawler.errors import PageRejected
from crawler.html import Document, LexborDocument, SoupDocument
from crawler.records import IssueRecord
from crawler.source import RawPage
from crawler.sources.ims.parse import parse_issue

CASES = sorted(Path(__file__).with_name("golden").iterdir())
ZONE = ZoneInfo("Asia/Seoul")
MENDED = "The page was mended"
Engine = Callable[[str], Document]


def pages_of(case: Path, meta: dict[str, Any]) -> list[RawPage]:
    beside = [
        RawPage(
            url=page["url"],
            body=(case / page["file"]).read_bytes(),
            content_type=page["content_type"],
            part=page["part"],
        )
        for page in meta.get("pages", ())
    ]
    body = (case / "issue.html").read_bytes()
    return [RawPage(url=meta["url"], body=body, content_type=meta["content_type"]), *beside]


def read(case: Path, *engines: Engine) -> IssueRecord:
    meta = json.loads((case / "meta.json").read_text("utf-8"))
    options = meta.get("options", {})
    chosen = {"engines": engines} if engines else {}
    return parse_issue(pages_of(case, meta), zone=ZONE, download_url=options.get("download_url"), **chosen)


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


def unmended(record: IssueRecord) -> IssueRecord:
    return replace(record, warnings=tuple(w for w in record.warnings if not w.startswith(MENDED)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_page_gives_its_record_under_both_engines(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    if "rejected" in expected:
        for engines in ((), (SoupDocument, SoupDocument), (LexborDocument, LexborDocument)):
            with pytest.raises(PageRejected, match=re.escape(expected["rejected"])):
                read(case, *engines)
        return
    record = read(case)
    assert as_json(record) == expected["record"]
    assert unmended(read(case, SoupDocument, SoupDocument)) == unmended(record)
    assert unmended(read(case, LexborDocument, LexborDocument)) == unmended(record)


def test_the_cases_cover_refused_and_mended_pages() -> None:
    expected = [(case / "expected.json").read_text("utf-8") for case in CASES]
    assert sum('"rejected"' in text for text in expected) >= 9
    assert sum(MENDED in text for text in expected) >= 9

"""Kept pages as a web archive (WARC 1.1), which other programs can replay and mine.

A page is a ``response`` record. What was kept of the answer is its status, its content type and its inflated
body; no header of a request or of an answer, and so no cookie and no credential, was ever kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import func, select
from warcio.statusandheaders import StatusAndHeaders  # type: ignore[import-untyped] # it has no types
from warcio.warcwriter import WARCWriter  # type: ignore[import-untyped] # it has no types

from crawler.errors import PageDamaged, UsageError
from crawler.http.library import httpx
from crawler.http.origin import without_secrets
from crawler.kept_page import inflate
from crawler.source import RawPage
from db import get_session
from db.crawl.raw_pages import Heading, archive, portions, read_pages
from db.crawl.transaction import UserTransactions
from db.models import Tracker
from db.rows import PackedPageRow
from pipeline.logs import redact
from pipeline.reports.export import output_file
from pipeline.stages.translate import to_page

PORTION_PAGES = 200
PORTION_BYTES = 8 * 2**20  # of pages in memory, but for a single larger one


@dataclass(slots=True)
class Archived:
    """What was written."""

    pages: int = 0
    bytes: int = 0  # of pages, inflated
    damaged: int = 0  # pages that were left out, since their bytes are not what was put in


async def export_warc(conninfo: str, user_id: int, path: Path, *, tracker: str | None = None) -> Archived:
    """Write the user's kept pages, those in quarantine too, in the order in which they were kept.

    Args:
        conninfo: the database.
        user_id: whose pages.
        path: the file; compressed where its name ends in ``.gz``. It has its name only once it is whole, and
            is for this account only.
        tracker: only this tracker's pages.

    Raises:
        UsageError: there is no such tracker, or the file cannot be written.
    """
    tracker_id = None if tracker is None else _tracker_id(user_id, tracker)
    with output_file(path) as file:
        return await _write(file, path, _pages(conninfo, user_id, tracker_id))


def _tracker_id(user_id: int, name: str) -> int:
    with get_session(user_id=user_id) as session:
        found = session.scalar(
            select(Tracker.tracker_id).where(
                Tracker.name == name, Tracker.user_id == func.ims.current_user_id()
            )
        )
    if found is None:
        raise UsageError(f"There is no tracker called {name!r}: see trackers list.")
    return found


async def _pages(
    conninfo: str, user_id: int, tracker_id: int | None
) -> AsyncIterator[tuple[Heading, PackedPageRow]]:
    async with UserTransactions(conninfo, user_id) as transactions:
        after = 0
        while listed := await transactions.run(
            lambda c, after=after: archive(c, user_id=user_id, tracker_id=tracker_id, after=after)  # type: ignore[misc] # mypy does not infer a lambda with a default
        ):
            sizes = {heading.raw_page_id: heading.size for heading in listed}
            headings = {heading.raw_page_id: heading for heading in listed}
            for numbers in portions(sizes, most=PORTION_PAGES, most_bytes=PORTION_BYTES):
                kept = await transactions.run(
                    lambda c, numbers=numbers: read_pages(c, user_id=user_id, raw_page_ids=numbers)  # type: ignore[misc] # mypy does not infer a lambda with a default
                )
                for number in numbers:
                    if number in kept:  # else it was deleted since it was listed
                        yield headings[number], kept[number]
            after = listed[-1].raw_page_id


async def _write(file: BinaryIO, path: Path, pages: AsyncIterator[tuple[Heading, PackedPageRow]]) -> Archived:
    archived = Archived()
    writer = WARCWriter(file, gzip=path.suffix == ".gz", warc_version="1.1")
    facts = {"software": "ims-crawler", "format": "WARC File Format 1.1"}
    writer.write_record(writer.create_warcinfo_record(path.name, facts))
    async for heading, kept in pages:
        try:
            page = inflate(to_page(kept))
        except PageDamaged:
            archived.damaged += 1
            continue
        _write_page(writer, heading, page)
        archived.pages += 1
        archived.bytes += len(page.body)
    return archived


def _write_page(writer: WARCWriter, heading: Heading, page: RawPage) -> None:
    answer = StatusAndHeaders(
        _status_line(page.status),
        [
            ("Content-Type", _one_line(page.content_type or "application/octet-stream")),
            ("Content-Length", str(len(page.body))),
        ],
        protocol="HTTP/1.1",
    )
    record = writer.create_warc_record(
        _address(page.url, heading.raw_page_id),
        "response",
        payload=BytesIO(page.body),
        length=len(page.body),
        http_headers=answer,
        warc_headers_dict={"WARC-Date": _moment(page.fetched_at or heading.fetched_at)},
    )
    writer.write_record(record)


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _address(url: str, raw_page_id: int) -> str:
    """The page's address as an archive may have it; one that is none gets a name of ours."""
    try:
        address = httpx.URL(url)
        return redact(without_secrets(address)) if address.is_absolute_url else f"urn:raw-page:{raw_page_id}"
    except (httpx.InvalidURL, ValueError):
        return f"urn:raw-page:{raw_page_id}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

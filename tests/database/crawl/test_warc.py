"""Kept pages as a web archive, read by the library that others read such archives with."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped] # it has no types

from crawler.errors import UsageError
from crawler.kept_page import unpack
from crawler.sources.ims.standin import StandIn
from pipeline.reports.warc import export_warc
from tests.database.crawl.test_session_receipt import issue
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import BOB

KEPT = "SELECT url, body, size, fetched_at FROM ims.raw_pages ORDER BY raw_page_id"


def only_file(folder: Path) -> Path:
    """The archive in a folder, beside which no draft is left."""
    (path,) = folder.glob("*.warc*")
    return path


def read(path: Path) -> list[tuple[str, bytes, str, str]]:
    """Address, body, status and time of each page."""
    with path.open("rb") as file:
        return [
            (
                record.rec_headers.get_header("WARC-Target-URI"),
                record.content_stream().read(),
                record.http_headers.get_statuscode(),
                record.rec_headers.get_header("WARC-Date"),
            )
            for record in ArchiveIterator(file)
            if record.rec_type == "response"
        ]


@pytest.mark.parametrize("name", ["pages.warc", "pages.warc.gz"])
async def test_every_kept_page_is_in_the_archive_byte_for_byte(
    crawler: Crawler, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.crawl.raw_pages.PORTION", 5)
    monkeypatch.setattr("pipeline.reports.warc.PORTION_PAGES", 2)
    async with StandIn(issues=[issue(number) for number in range(1000, 1011)]) as standin:
        standin.add_issue(issue(2000, title=""))  # kept in quarantine
        await crawler.crawl(standin)
    path = tmp_path / name
    archived = await export_warc(crawler.program.conninfo, crawler.user_id, path, tracker="desk")
    kept = crawler.rows(KEPT)
    assert (archived.pages, archived.bytes) == (12, sum(row[2] for row in kept))
    assert path.stat().st_mode & 0o077 == 0
    assert only_file(tmp_path) == path
    assert read(path) == [
        (url, unpack(body, size), "200", f"{at:%Y-%m-%dT%H:%M:%S.%f}Z") for url, body, size, at in kept
    ]


async def test_an_archive_is_of_version_1_1_and_has_no_credential(crawler: Crawler, tmp_path: Path) -> None:
    async with StandIn(issues=[issue(1000)]) as standin:
        await crawler.crawl(standin)
    hostile = "http://kim:kim-secret@127.0.0.1/x?token=kim-secret&a=1\r\nInjected: yes"
    with crawler.database.superuser() as connection:
        connection.execute("UPDATE ims.raw_pages SET url = %s", (hostile,))
    path = tmp_path / "pages.warc.gz"
    await export_warc(crawler.program.conninfo, crawler.user_id, path)
    text = gzip.decompress(path.read_bytes())
    assert text.startswith(b"WARC/1.1\r\nWARC-Type: warcinfo")
    for word in (b"kim-secret", b"Cookie", b"JSESSIONID", b"Injected: yes"):
        assert word not in text


async def test_only_ones_own_pages_are_exported(crawler: Crawler, tmp_path: Path) -> None:
    async with StandIn(issues=[issue(1000)]) as standin:
        await crawler.crawl(standin)
    bob = replace(crawler, user_id=BOB)
    path = tmp_path / "bobs.warc"
    assert (await export_warc(bob.program.conninfo, BOB, path)).pages == 0
    assert b"It crashes" not in path.read_bytes()
    with pytest.raises(UsageError, match="no tracker called 'desk'"):
        await export_warc(bob.program.conninfo, BOB, path, tracker="desk")


async def test_a_damaged_page_is_left_out_and_counted(crawler: Crawler, tmp_path: Path) -> None:
    async with StandIn(issues=[issue(1000), issue(1001)]) as standin:
        await crawler.crawl(standin)
    with crawler.database.superuser() as connection:
        connection.execute("UPDATE ims.raw_pages SET body = '\\x00' WHERE issue_id = '1000'")
    archived = await export_warc(crawler.program.conninfo, crawler.user_id, tmp_path / "x.warc")
    assert (archived.pages, archived.damaged) == (1, 1)


async def test_a_file_that_cannot_be_written_is_told_in_a_sentence(crawler: Crawler, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written: No such file or directory\."):
        await export_warc(crawler.program.conninfo, crawler.user_id, tmp_path / "none" / "x.warc")

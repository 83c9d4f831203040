"""Read the list of files that are attached to a Trac ticket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from crawler.html import Node
from crawler.records import AttachmentRecord
from crawler.sources.trac.parse.markup import author_of, filename_of, moment_of

_DIGITS = re.compile(r"[0-9]+")


def read_attachments(section: Node | None, url: str) -> tuple[AttachmentRecord, ...]:
    """Read what the page tells of each file.

    Args:
        section: the element `#attachments`; None where the page has none.
        url: the page's address, which its links are relative to.
    """
    listed = None if section is None else section.select_one("dl.attachments")
    return () if listed is None else tuple(_files(listed, url))


def _files(listed: Node, url: str) -> Iterator[AttachmentRecord]:
    entries = listed.children()
    for position, entry in enumerate(entries):
        link = entry.select_one("a") if entry.name == "dt" else None
        if link is None:
            continue
        after = entries[position + 1] if position + 1 < len(entries) else None
        name = filename_of(link)
        yield AttachmentRecord(
            source_id=name,  # Trac knows a ticket's files by their names
            filename=name,
            file_size=_size(entry),
            download_url=_download(entry, url),
            author=_author(entry),
            attached_at=moment_of(entry),
            description=after.prose() if after is not None and after.name == "dd" else None,
        )


def _size(entry: Node) -> int | None:
    """The size in bytes; the words beside it are rounded."""
    for span in entry.select("span[title]"):
        found = _DIGITS.search((span.attribute("title") or "").replace(",", ""))
        if found is not None:
            return int(found[0])
    return None


def _author(entry: Node) -> str | None:
    marked = entry.select_one('[class^="trac-author"]')
    words = entry.select_one("em") if marked is None else None  # before Trac 1.2
    return author_of(entry) if words is None else words.line() or None


def _download(entry: Node, url: str) -> str | None:
    raw, shown = entry.select_one("a.trac-rawlink"), entry.select_one("a")
    link = shown if raw is None else raw
    try:
        address = urlsplit(urljoin(url, (link and link.attribute("href")) or ""))
    except ValueError:
        return None
    if raw is None:  # Trac 0.11 leads to the page about the file only
        path = address.path.replace("/attachment/ticket/", "/raw-attachment/ticket/", 1)
        address = address._replace(path=path)
    own = urlsplit(url)
    inside = (address.scheme, address.netloc) == (
        own.scheme,
        own.netloc,
    ) and "/raw-attachment/" in address.path
    return address.geturl() if inside else None

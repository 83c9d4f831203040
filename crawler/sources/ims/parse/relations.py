"""Links to other issues: the table on the page, the list beside it, and the project's patches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from crawler.errors import PageRejected
from crawler.html import Document, Node
from crawler.records import Json, RelationRecord

_NUMBER = re.compile(r"[0-9]{1,18}")
_ISSUE_ID = re.compile(r"[?&]issueId=([0-9]{1,18})\b")
_VIEW = re.compile(r"popBlankIssueView\(\s*['\"]?([0-9]{1,18})")
_PATCH_CALL = re.compile(r"popupPatchList\(((?:\s*(?:'[^']*'|\"[^\"]*\")\s*,?){5})\)")
_ARGUMENT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_PATCH_LINKS: Final = "[onclick*=popupPatchList], [href*=popupPatchList]"
PATCH_PARAMETERS = ("projectCode", "siteCode", "productCode", "projectName", "siteName")


def read_related(table: Node) -> Iterator[RelationRecord]:
    """Read the table of related issues, whose columns are found by their headers."""
    yield from _linked(table.select("tr"), "related")


def read_patches(document: Document) -> Iterator[RelationRecord]:
    """Read a patch list: every row that links to an issue."""
    yield from _linked(document.select("tr"), "patch")


def related_in(text: str, own: str) -> Iterator[RelationRecord]:
    """Read the answer of `findRelationIssues.do`.

    Each entry has `issueId` and `relationIssueId`, one of them the other issue's; the entry with
    `relationIssueId` 0 is the issue itself.

    Args:
        text: JSON.
        own: the issue's own number.

    Raises:
        PageRejected: not a list of such objects.
    """
    try:
        entries: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PageRejected("The list of related issues is not JSON.") from error
    if not isinstance(entries, list):
        raise PageRejected("The list of related issues is not a list.")
    for entry in entries:
        if not isinstance(entry, dict) or "issueId" not in entry:
            raise PageRejected("The list of related issues has an entry without a number.")
        ids = [str(entry[key]).strip() for key in ("issueId", "relationIssueId") if key in entry]
        others = [number for number in ids if _NUMBER.fullmatch(number) and number not in ("0", own)]
        if others:
            title = next(
                (entry[key] for key in ("subject", "title") if isinstance(entry.get(key), str)), None
            )
            yield RelationRecord(related_issue_id=others[0], title=str(title) if title else None)


def patch_arguments(document: Document) -> dict[str, str] | None:
    """What the page asks its patch list with; None where it offers none."""
    for node in document.select(_PATCH_LINKS):
        call = _PATCH_CALL.search(f"{node.attribute('onclick') or ''} {node.attribute('href') or ''}")
        if call is not None:
            values = [single or double for single, double in _ARGUMENT.findall(call[1])]
            return dict(zip(PATCH_PARAMETERS, values, strict=True))
    return None


def without_repeats(relations: Iterable[RelationRecord], own: str) -> tuple[RelationRecord, ...]:
    """The relations, each once and none to the issue itself; a title is kept wherever it stands."""
    kept: dict[tuple[str, str], RelationRecord] = {}
    for relation in relations:
        key = (relation.related_issue_id, relation.relation_type)
        if relation.related_issue_id != own and (key not in kept or not kept[key].title):
            kept[key] = relation
    return tuple(kept.values())


def issue_number_in(url: str) -> str | None:
    """The issue that an address asks for."""
    try:
        number = parse_qs(urlsplit(url).query).get("issueId", [""])[-1]
    except ValueError:
        return None
    return number if _NUMBER.fullmatch(number) else None


def _linked(rows: Iterable[Node], relation_type: str) -> Iterator[RelationRecord]:
    headers: list[str] = []
    for row in rows:
        cells = [cell for cell in row.children() if cell.name in ("td", "th")]
        number = _number_linked(row)
        if number is None:
            headers = headers or [cell.line().lower() for cell in cells]
            continue
        titles = [cell.line() for header, cell in zip(headers, cells, strict=False) if header == "subject"]
        title = titles[0] if titles else None
        yield RelationRecord(related_issue_id=number, relation_type=relation_type, title=title)


def _number_linked(row: Node) -> str | None:
    for link in row.select("a"):
        target = f"{link.attribute('href') or ''} {link.attribute('onclick') or ''}"
        match = _ISSUE_ID.search(target) or _VIEW.search(target)
        if match is not None:
            return match[1]
    match = _VIEW.search(row.attribute("onclick") or "")
    return match[1] if match else None

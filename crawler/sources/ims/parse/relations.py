"""Links to other issues: the table on the page, the list beside it, and the project's patches."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from crawler.errors import PageRejected
from crawler.html import Document, Node
from crawler.records import Json, RelationRecord
from crawler.sources.ims.parse.labels import RELATED, key_of

_NUMBER = re.compile(r"[0-9]{1,18}")
_ISSUE_ID = re.compile(r"[?&]issueId=([0-9]{1,18})\b")
_VIEW = re.compile(r"popBlankIssueView\(\s*['\"]?([0-9]{1,18})")
_PATCH_CALL = re.compile(r"popupPatchList\(((?:\s*(?:'[^']*'|\"[^\"]*\")\s*,?){5})\)")
_ARGUMENT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_PATCH_LINKS: Final = "[onclick*=popupPatchList], [href*=popupPatchList]"
_END = re.compile(r"</html\s*>", re.IGNORECASE)
BESIDE: Final = (
    "relations",
    "patches",
)  # lists beside the page: their parts, and the options that ask for them
PATCH_PARAMETERS = ("projectCode", "siteCode", "productCode", "projectName", "siteName")


class Listed(Struct, frozen=True):
    """What a list beside the page tells."""

    relations: tuple[RelationRecord, ...] = ()
    warnings: tuple[str, ...] = ()  # why it may not be all
    lost: tuple[str, ...] = ()  # the words of rows that tell no number


def read_related(table: Node) -> Listed:
    """Read the table of related issues, whose columns are found by their headers."""
    return _linked(table.select("tr"), "related")


def patches_in(text: str, engine: Callable[[str], Document]) -> Listed:
    """Read a patch list: every row that links to an issue.

    Args:
        text: the page.
        engine: reads it.
    """
    try:
        listed = _linked(engine(text).select("tr"), "patch")
    except PageRejected as error:
        return Listed(warnings=(f"The patch list cannot be read: {error}",))
    if _END.search(text) is not None:
        return listed
    return replace(listed, warnings=(*listed.warnings, "The patch list is cut off: its end is missing."))


def related_in(text: str, own: str) -> Listed:
    """Read the answer of `findRelationIssues.do`, a JSON list.

    Each entry has `issueId` and `relationIssueId`, one of them the other issue's; the entry with
    `relationIssueId` 0 is the issue itself. The list may stand alone within an object.

    Args:
        text: the answer.
        own: the issue's own number.
    """
    try:
        answer: Json = json.loads(text)
    except (ValueError, RecursionError):
        return Listed(warnings=("The list of related issues is not JSON.",))
    entries = _list_in(answer)
    if entries is None:
        return Listed(warnings=("The list of related issues is not a list.",))
    numbered = [entry for entry in entries if isinstance(entry, dict) and "issueId" in entry]
    relations = tuple(filter(None, (_relation(entry, own) for entry in numbered)))
    odd = len(entries) - len(numbered)
    without = f"The list of related issues has {odd} entries without a number."
    return Listed(relations, (without,) if odd else ())


def _list_in(answer: Json) -> list[Json] | None:
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        return lists[0] if len(lists) == 1 else None
    return answer if isinstance(answer, list) else None


def _relation(entry: dict[str, Json], own: str) -> RelationRecord | None:
    ids = [str(entry[key]).strip() for key in ("issueId", "relationIssueId") if key in entry]
    others = [number for number in ids if _NUMBER.fullmatch(number) and number not in ("0", own)]
    if not others:
        return None
    title = next((entry[key] for key in ("subject", "title") if isinstance(entry.get(key), str)), None)
    return RelationRecord(related_issue_id=others[0], title=str(title) if title else None)


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


def _linked(rows: Iterable[Node], relation_type: str) -> Listed:
    headers: list[str | None] = []  # what each column is, where one of them is known
    relations: list[RelationRecord] = []
    lost: list[str] = []
    shifted = False
    for row in rows:
        cells = [cell for cell in row.children() if cell.name in ("td", "th")]
        linked = _number_linked(row)
        if not headers and linked is None:
            roles = [RELATED.get(key_of(cell.line())) for cell in cells]
            if any(roles):
                headers = roles
                continue
        is_headed = len(headers) == len(cells)
        shifted = shifted or (linked is not None and headers != [] and not is_headed)
        columns = zip(headers, cells, strict=True) if is_headed else ()
        told = {role: cell.line() for role, cell in columns if role is not None}
        number = linked or told.get("number", "").lstrip("#")
        if _NUMBER.fullmatch(number):
            kind = told.get("relation") or relation_type
            title = told.get("title") or None
            relations.append(RelationRecord(related_issue_id=number, relation_type=kind, title=title))
        else:
            lines = [cell.line() for cell in cells]
            if sum(map(bool, lines)) > 1:  # a single one says that there are none
                lost.append("\t".join(lines))
    warnings = ["A related issue has no number that can be read."] * len(lost)
    if shifted:
        warnings.append("The list of related issues has rows with other columns than its headers.")
    return Listed(tuple(relations), tuple(warnings), tuple(lost))


def _number_linked(row: Node) -> str | None:
    for link in row.select("a"):
        target = f"{link.attribute('href') or ''} {link.attribute('onclick') or ''}"
        match = _ISSUE_ID.search(target) or _VIEW.search(target)
        if match is not None:
            return match[1]
    match = _VIEW.search(row.attribute("onclick") or "")
    return match[1] if match else None

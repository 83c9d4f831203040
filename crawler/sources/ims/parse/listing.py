"""A page of the result list, whose columns are each account's own choice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from crawler.errors import PageRejected
from crawler.html import Document, LexborDocument, Node, SoupDocument
from crawler.sources.ims.parse.products import Product, parse_products

_ENGINES: tuple[Callable[[str], Document], ...] = (LexborDocument, SoupDocument)
_VIEW = re.compile(r"popBlankIssueView\(\s*+(?:['\"]\s*+)?+([0-9]{1,18})")
_RAW_ROW = re.compile(
    r"<tr\b[^<>]*popBlankIssueView\(\s*+(?:(?:['\"]|&#39;|&quot;)\s*+)?+[0-9]", re.IGNORECASE
)
_TITLES, _ROWS, _COUNT = "tr.title", "tr.rowClickData, tr.data", "input#totalCount, input[name=totalCount]"
_BRACKET = re.compile(r"\[\s*+Total\s*+:?+(?:\s|&nbsp;|<[^<>]*+>)*+([0-9][0-9,]*)", re.IGNORECASE)
_SCRIPT = re.compile(r"\btotalCount['\"]?\s*[=:]\s*['\"]?([0-9][0-9,]*)")
_NUMBER_HEADERS = frozenset({"issue number", "issue no", "issue no."})


@dataclass(frozen=True, slots=True)
class Row:
    """One hit."""

    issue_id: str
    columns: Mapping[str, str] = field(default_factory=dict)  # under their headers


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the result list."""

    rows: tuple[Row, ...]
    total: int | None
    products: tuple[Product, ...]


def parse_list(html: str) -> Listing:
    """Read a page of the result list.

    Cells are found by the header row's words. The page must be whole and have a header row or a total, and as
    many rows must be found as its raw characters announce.

    Args:
        html: the decoded page.

    Raises:
        PageRejected: this is no list, or it cannot be read whole by either engine.
    """
    if "</html" not in html[-20_000:].lower():
        raise PageRejected("The result list is cut off: its end is missing.")
    for engine in _ENGINES:
        listing = _read(engine(html), html)
        if listing is not None:
            return listing
    raise PageRejected("The answer is not a list of issues.")


def _read(document: Document, html: str) -> Listing | None:
    headers = _headers(document)
    rows = _rows(document, headers)
    total = _total(document, html)
    if len(rows) < len(_RAW_ROW.findall(html)) or not (headers or total is not None):
        return None
    return Listing(rows, total, parse_products(document))


def _headers(document: Document) -> list[str]:
    titles = [_cells(row) for row in document.select(_TITLES)]
    named = [cells for cells in titles if any(cell.lower() in _NUMBER_HEADERS for cell in cells)]
    return next(iter(named or titles), [])


def _rows(document: Document, headers: Sequence[str]) -> tuple[Row, ...]:
    rows = []
    for row in document.select(_ROWS):
        number = _number(row)
        if number is not None:
            columns = {header: cell for header, cell in zip(headers, _cells(row), strict=False) if header}
            rows.append(Row(number, columns))
    return tuple(rows)


def _number(row: Node) -> str | None:
    match = _VIEW.search(row.attribute("onclick") or "")
    if match is None and (link := row.select_one("[onclick*=popBlankIssueView]")) is not None:
        match = _VIEW.search(link.attribute("onclick") or "")
    return match[1] if match else None


def _cells(row: Node) -> list[str]:
    return [cell.line() for cell in row.children() if cell.name in ("td", "th")]


def _total(document: Document, html: str) -> int | None:
    named = document.select_one(_COUNT)
    value = "" if named is None else (named.attribute("value") or "").replace(",", "").strip()
    if value.isdecimal():
        return int(value[:18])
    rows = [match.start() for match in _RAW_ROW.finditer(html)]
    # A subject can say "[ Total 5 ]" as well: only what stands outside of the rows is the tracker's word.
    before = html[: rows[0]] if rows else html
    after = html[rows[-1] :].partition("</table")[2] if rows else ""
    numbers = _scripted(before) or _scripted(after) or _bracketed(before) or _bracketed(after)
    return int(numbers.replace(",", "")[:18]) if numbers else None


def _scripted(html: str) -> str | None:
    place = html.find("totalCount")
    match = _SCRIPT.search(html, max(place - 1, 0)) if place >= 0 else None
    return match[1] if match else None


def _bracketed(html: str) -> str | None:
    for match in _BRACKET.finditer(html):
        before = html[max(0, match.start() - 400) : match.start()]
        if before.rfind(">") > before.rfind("<"):  # in a text, not in an attribute
            return match[1]
    return None

"""A page of the result list, whose columns are each account's own choice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from crawler.errors import PageCut, PageRejected
from crawler.html import Document, LexborDocument, Node, SoupDocument
from crawler.sources.ims.parse.landmarks import row_starts, visible
from crawler.sources.ims.parse.products import Product, parse_products

Engine = Callable[[str], Document]
_ENGINES: tuple[Engine, ...] = (LexborDocument, SoupDocument)
_VIEW = re.compile(r"popBlankIssueView\(\s*+(?:['\"]\s*+)?+([0-9]{1,18})|[?&]issueId=([0-9]{1,18})")
_TITLES, _COUNT = "tr.title", "input#totalCount, input[name=totalCount]"
_ROW_CLASSES = frozenset({"rowClickData", "data"})
_LINKS = "[onclick*=popBlankIssueView], [href*=popBlankIssueView], [href*='issueView.do?']"
_BRACKET = re.compile(r"\[\s*+(?:Total|전체|총|合計|全)\s*+[:：]?+\s*+([0-9][0-9.,'’]*)", re.IGNORECASE)
_WRITTEN_BRACKET = re.compile(r"&(?:#|lbrack|lsqb)")
_SCRIPT = re.compile(r"\btotalCount['\"]?\s*+[=:]\s*+['\"]?([0-9][0-9.,]*)")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5}")
_NUMBER_HEADERS = frozenset({"issue number", "issue no", "issue no.", "이슈 번호", "이슈번호", "課題番号"})


class Row(Struct, frozen=True):
    """One hit."""

    issue_id: str
    columns: Mapping[str, str] = field(default_factory=dict)  # under their headers


class Listing(Struct, frozen=True):
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
        PageCut: its end is missing.
        PageRejected: this is no list, or it cannot be read whole by either engine.
    """
    end = html[-20_000:]
    if "</html" not in end and "</html" not in end.lower():
        raise PageCut("The result list is cut off: its end is missing.")
    for engine in _ENGINES:
        listing = _read(engine, html)
        if listing is not None:
            return listing
    raise PageRejected("The answer is not a list of issues.")


def _read(engine: Engine, html: str) -> Listing | None:
    shown = visible(html)
    document = engine(shown)
    headers = _headers(document)
    rows = _rows(document, headers)
    starts = row_starts(shown)
    if rows is None or len(rows) < len(starts):
        return None
    totals = {
        *_numbers(node.attribute("value") or "" for node in document.select(_COUNT)),
        *_numbers(_told_by_scripts(html)),
        *_numbers(_told_in_brackets(engine, _beside(shown, starts))),
    }
    if not (headers or totals):
        return None
    total = totals.pop() if len(totals) == 1 else None  # where the page contradicts itself, nobody knows
    if total is not None and total < len({row.issue_id for row in rows}):
        total = None
    return Listing(rows, total, parse_products(document))


def _headers(document: Document) -> list[str]:
    titles = [_cells(row) for row in document.select(_TITLES)]
    named = [cells for cells in titles if any(cell.lower() in _NUMBER_HEADERS for cell in cells)]
    return next(iter(named or titles), [])


def _rows(document: Document, headers: Sequence[str]) -> tuple[Row, ...] | None:
    """The rows; None where one of them tells no number."""
    rows = []
    for row in document.select("tr"):
        called = row.attribute("onclick") or ""
        if _ROW_CLASSES.isdisjoint((row.attribute("class") or "").split()) and not _VIEW.search(called):
            continue
        cells = _cells(row)
        # With a cell more or less than there are headers, nobody knows what is under which.
        columns = dict(zip(headers, cells, strict=True)) if len(headers) == len(cells) else {}
        number = _number(row) or _numbered(columns)
        if number is not None:
            rows.append(Row(number, {header: cell for header, cell in columns.items() if header}))
        elif len(cells) > 1:
            return None
    return tuple(rows)


def _number(row: Node) -> str | None:
    own = _shown_by(row)
    return own if own is not None else next(filter(None, map(_shown_by, row.select(_LINKS))), None)


def _shown_by(node: Node) -> str | None:
    match = _VIEW.search(f"{node.attribute('onclick') or ''} {node.attribute('href') or ''}")
    return None if match is None else match[1] or match[2]


def _numbered(columns: Mapping[str, str]) -> str | None:
    numbers = [cell for header, cell in columns.items() if header.lower() in _NUMBER_HEADERS]
    return numbers[0] if numbers and numbers[0].isascii() and numbers[0].isdecimal() else None


def _cells(row: Node) -> list[str]:
    return [cell.line() for cell in row.children() if cell.name in ("td", "th")]


def _told_by_scripts(html: str) -> Iterator[str]:
    if "totalCount" not in html:
        return
    for part in _beside(html, row_starts(html)):
        for script in part.split("<script")[1:]:
            if "totalCount" in script:  # as hardly one of them has it, which a pattern takes long to tell
                yield from _SCRIPT.findall(script.partition("</script")[0])


def _told_in_brackets(engine: Engine, parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        written = _WRITTEN_BRACKET.search(part)
        places = (part.find("["), -1 if written is None else written.start())
        first = min((place for place in places if place >= 0), default=None)
        if first is None:
            continue
        # From the tag before it on: menus and lists of products need not be read twice.
        start = max(0, part.rfind("<", 0, first))
        body = engine(f"<html><body><div>{part[start:]}").select_one("body")
        if body is not None:
            yield from _BRACKET.findall(body.text())


def _beside(html: str, rows: Sequence[int]) -> tuple[str, str]:
    """What stands before and after the rows: a subject can say "[ Total 5 ]" as well as the tracker."""
    return (html[: rows[0]], html[rows[-1] :].partition("</table")[2]) if rows else (html, "")


def _numbers(told: Iterable[str]) -> Iterator[int]:
    # Dots may part thousands, or anything else.
    numbers = (number.strip().rstrip(".,'") for number in told)
    yield from (int(number.replace(",", "")) for number in numbers if _WHOLE_NUMBER.fullmatch(number))

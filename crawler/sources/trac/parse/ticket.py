"""Read a Trac ticket from its page, as Trac 0.11 to 1.6 render it.

The page shows everything that Trac knows of a ticket: properties, attachments, and the whole change history
in `#changelog`, one `div.change` for each change. Only elements at the template's own places are read: the
wiki text of a ticket may contain elements with any class and id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from crawler.errors import PageCut, PageRejected
from crawler.html import Document, LexborDocument, Node, SoupDocument
from crawler.html.second_opinion import first_accepted
from crawler.http.decode import decode
from crawler.records import AttachmentRecord, IssueRecord, Json, State
from crawler.source import Connection, RawPage
from crawler.sources.trac.parse.attachments import read_attachments
from crawler.sources.trac.parse.changes import Changes, read_changes
from crawler.sources.trac.parse.dates import Dates, read_dates
from crawler.sources.trac.parse.earlier import Heading, labels_of, read_heading
from crawler.sources.trac.parse.gaps import gaps_above, gaps_below, gaps_of_properties
from crawler.sources.trac.parse.mail import shown_addresses
from crawler.sources.trac.parse.markup import author_of, cells_of, child, is_whole, stated
from crawler.sources.trac.parse.script import Told, read_script
from crawler.sources.trac.parse.values import display_name, exact
from crawler.states import state_of

ENGINES: Final[tuple[Callable[[str], Document], ...]] = (LexborDocument, SoupDocument)
_NUMBER = re.compile(r"#([0-9]{1,10})")
_ADDRESS = re.compile(r"/ticket/([0-9]{1,10})/?$")
_COUNT = re.compile(r'<span class="trac-count">\(([0-9]+)\)</span></h3>\s*<div id="changelog">')
# What the template writes for each comment and each changed field, whatever an engine makes of it later.
_COMMENTS = re.compile(r'<div\b[^<>]*?\sclass="comment searchable"')
_BOXES = re.compile(r'<div\b[^<>]*?\sclass="change"')
# Cells, labels and values have such classes too, within the element that announces the change.
_ROWS = re.compile(r'<(?!th\b|strong\b|span\b)[a-z][a-z0-9]*\b[^<>]*?\sclass="trac-field-')
_LISTS = re.compile(r'<ul\b[^<>]*?\sclass="changes"[^<>]*>(.*?)</ul>', re.DOTALL)
_ITEM = re.compile(r"<li\s*>")  # of such a list, where it does not tell its field
_EDITS = re.compile(r'<div\b[^<>]*?\sclass="trac-lastedit')
_ICON = re.compile(
    r'<span class="icon">(?:\u200b|&#8203;)</span>'
)  # the picture before a link, as a character
_OWN = frozenset({"priority", "severity", "component", "reporter", "owner", "version", "milestone"})


class TracParser:
    """Parser of ticket pages; a connection's settings do not matter to it."""

    def __init__(self, connection: Connection) -> None:
        del connection

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read a ticket from its page.

        Raises:
            PageRejected: the page fails its gate under both engines.
        """
        for page in pages:
            if page.part == "issue":
                return parse_ticket(page)
        raise PageRejected("There is no page of a ticket.")


def parse_ticket(page: RawPage, *, engines: Sequence[Callable[[str], Document]] = ENGINES) -> IssueRecord:
    """Read a ticket, with Lexbor, and if its page then fails the gate, with BeautifulSoup.

    Args:
        page: the answer to `/ticket/NUMBER`.
        engines: what makes a document of a page; each has its turn only after those before it have failed.

    Raises:
        PageRejected: this is no whole page of that ticket under either engine.
    """
    decoded = decode(page.body, page.content_type)
    html = _ICON.sub("", decoded.text)
    address = _ADDRESS.search(page.url.partition("?")[0])
    if address is None:
        raise PageRejected("The page's address is not that of a ticket.")
    if not is_whole(html):
        raise PageCut(f"The page of ticket {address[1]} ends early.")
    warnings = list(decoded.warnings)
    number = address[1]
    record, doubts = first_accepted(
        partial(lambda engine: _read(engine(html), html, page.url, number), engine) for engine in engines
    )
    warnings += [f"The page was read by the second engine: {doubt}" for doubt in doubts]
    return replace(record, warnings=(*record.warnings, *warnings))


def _read(document: Document, html: str, url: str, number: str) -> IssueRecord:
    ticket = document.select_one("#content > #ticket")
    if ticket is None:
        raise PageRejected(f"The page of ticket {number} is not a ticket page.")
    heading = read_heading(document, ticket) or _heading(ticket)
    if heading is None or heading.number != int(number):
        told = "tells no number" if heading is None else "shows another one"
        raise PageRejected(f"The page of ticket {number} {told}.")
    script = read_script(html, int(number), partial(shown_addresses, document))
    table = ticket.select_one("table.properties")
    cells = [] if table is None else cells_of(table)
    properties, names = _properties(cells, script)
    status, title = heading.status, heading.title
    box = ticket.select_one(".date")
    if not status or box is None or title is None or "reporter" not in properties:
        raise PageRejected(f"The page of ticket {number} lacks its status, dates, summary or reporter.")
    changelog = document.select_one("#content > #changelog, #content > div > #changelog")
    labels = labels_of(cells)
    changes = read_changes(changelog, properties, labels, script)
    announced = _check(document, html, number, changes, is_numbered=heading.is_numbered)
    dates = read_dates(box, changes, script)
    listed = read_attachments(document.select_one("#content > #attachments"), url)
    files = [_as_told(file, script) for file in listed]
    state = state_of(status)
    description = _description(ticket)
    missing = [
        *gaps_above(heading, box, description, changes, dates, script),
        *gaps_of_properties(cells, labels, properties, script, is_numbered=heading.is_numbered),
        *gaps_below(files, changes, script, is_numbered=heading.is_numbered),
    ]
    return IssueRecord(
        issue_id=str(int(number)),
        url=url.partition("?")[0],
        title=title,
        description=description or "",
        product=properties.get("component") or None,
        status=status,
        state=state,
        priority=properties.get("priority") or None,
        severity=properties.get("severity") or None,
        issue_type=heading.issue_type,
        reporter=properties["reporter"] or None,
        owner=properties.get("owner") or None,
        registered_date=dates.opened,
        modified_date=dates.modified,
        closed_date=dates.closed if state is State.DONE else None,
        project_name=_project(document, number, title),
        found_version=properties.get("version") or None,
        target_version=properties.get("milestone") or None,
        extra=_extra(heading, properties, changes, dates) | _people({**changes.names, **names}),
        comments=changes.comments,
        history=changes.history,
        attachments=tuple(files),
        comments_announced=announced.comments,
        history_announced=announced.history,
        warnings=(*_warnings(script, changes, dates, state), *missing),
    )


def _warnings(script: Told, changes: Changes, dates: Dates, state: State) -> Iterator[str]:
    if script.doubt is not None:
        yield script.doubt
    yield from changes.doubts
    if dates.opened is None:
        yield "The page does not tell when the ticket was opened."
    if state is State.DONE and dates.closed is None:
        yield "The ticket is closed, and its history does not tell when it was."


def _heading(ticket: Node) -> Heading | None:
    number = _NUMBER.fullmatch(_line(ticket, "a.trac-id") or "")
    if number is None:
        return None
    resolution = _line(ticket, ".trac-resolution") or ""
    return Heading(
        number=int(number[1]),
        title=_line(ticket, ".summary"),
        status=_line(ticket, ".trac-status"),
        issue_type=_line(ticket, ".trac-type"),
        resolution=resolution.removeprefix("(").removesuffix(")"),
        is_numbered=True,
    )


class _Announced(Struct, frozen=True):
    comments: int
    history: int


def _check(document: Document, html: str, number: str, changes: Changes, *, is_numbered: bool) -> _Announced:
    """Hold what was read against what the raw text announces."""

    def announced(pattern: re.Pattern[str], css: str, *, within: str | None = None) -> int:
        # Wiki text, whose places are the first two, may contain elements that look the same. The third is
        # where an account that may comment sees its own comment before it is sent.
        places = (".searchable", "table.properties", "#ticketchange")
        lookalikes = document.select(", ".join(f"{place} {css}" for place in places))
        return len(pattern.findall(html if within is None else within)) - len(lookalikes)

    def check(what: str, announced: int, read: int) -> None:
        if announced != read:
            raise PageRejected(f"The page of ticket {number} announces {announced} {what}; {read} were read.")

    total = _COUNT.search(html)
    if is_numbered and total is None:
        raise PageRejected(f"The page of ticket {number} announces an unknown number of changes.")
    if total is not None:
        check("changes", int(total[1]), changes.entries)
    check("boxes of changes", announced(_BOXES, 'div[class="change"]'), changes.entries)

    edits = sum(record.change_type == "comment" for record in changes.history)
    rows = len(changes.history) - edits
    # The page marks a comment that was edited once, its script tells of each time.
    more = edits - changes.edited
    comments = announced(_COMMENTS, 'div[class="comment searchable"]') - changes.unsaid
    fields = announced(_ROWS, '[class^="trac-field-"]:not(th):not(strong):not(span)')
    fields += announced(_ITEM, 'ul[class="changes"] > li:not([class])', within="".join(_LISTS.findall(html)))
    edited = announced(_EDITS, 'div[class^="trac-lastedit"]')
    check("comments", comments, len(changes.comments))
    check("changed fields", fields, rows)
    check("edits", edited, changes.edited)
    if changes.flaw is not None:
        raise PageRejected(f"The page of ticket {number} has {changes.flaw}.")
    return _Announced(comments, fields + edited + more)


def _line(node: Node, css: str) -> str | None:
    found = node.select_one(css)
    return None if found is None else found.line()


def _properties(cells: Sequence[Node], script: Told) -> tuple[dict[str, str], dict[str, str]]:
    """What the table of properties says of each field, and how it shows people.

    Each under Trac's own name; a cell tells whose it is.
    """
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for cell in cells:
        name = (cell.attribute("headers") or "").removeprefix("h_")
        if not name or name in values:
            continue
        if name in ("reporter", "owner"):
            # "(none)", in whatever language, is Trac's word and not a name; a cell without a mark is words.
            marked = cell.select_one('[class^="trac-author"]') is not None
            words = (author_of(cell) or "") if marked else cell.line()
        else:
            words = stated(cell)
        stored = script.values.get(name)
        values[name] = exact(name, words, stored)
        if name in ("reporter", "owner"):
            names |= display_name(stored, words)
    return values, names


def _as_told(file: AttachmentRecord, script: Told) -> AttachmentRecord:
    """The file with its author's login name and its exact time, where the script has them."""
    told = script.file(file.filename, -1, file.attached_at)  # the page lists the last one of a name
    return file if told is None else replace(file, author=told.author, attached_at=told.at)


def _description(ticket: Node) -> str | None:
    """The text; None: the page has not even a place for one."""
    box = ticket.select_one(".description")
    if box is None:
        return None
    words = child(box, "searchable")
    return "" if words is None else words.prose()


def _extra(
    heading: Heading, properties: Mapping[str, str], changes: Changes, dates: Dates
) -> dict[str, Json]:
    """What has no field of its own, under Trac's names, which no label or language changes; no empty ones."""
    extra: dict[str, Json] = {}
    if heading.resolution:
        extra["resolution"] = heading.resolution
    extra |= {name: value for name, value in properties.items() if name not in _OWN and value}
    # No field of a Trac has a blank in its name.
    if changes.replies:
        extra["in reply to"] = {str(comment): parent for comment, parent in changes.replies.items()}
    if dates.words is not None:
        extra["dates as shown"] = dates.words
    return extra


def _people(names: dict[str, str]) -> dict[str, Json]:
    return {"display names": dict(sorted(names.items()))} if names else {}


def _project(document: Document, number: str, title: str) -> str | None:
    """The project's name, which ends the page's title."""
    heading = document.select_one("title")
    whole = "" if heading is None else heading.line()
    before = f"#{int(number)} ({title}) "
    return whole.removeprefix(before).lstrip("–- ") or None if whole.startswith(before) else None

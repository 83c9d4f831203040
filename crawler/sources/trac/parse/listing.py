"""Read the list of tickets that Trac's custom query answers with, as a page.

The page rather than CSV: it ends with `</html>`, so that a list that was cut off is noticed, it tells how
many tickets match, and it names the components.
"""

from __future__ import annotations

import re

from msgspec import Struct

from crawler.errors import PageCut, PageRejected
from crawler.html import Document, LexborDocument, SoupDocument
from crawler.sources.trac.parse.markup import is_whole, version_of

_NUMBER = re.compile(r"#([0-9]{1,10})")
_DIGITS = re.compile(r"[0-9]+")


class TicketList(Struct, frozen=True, kw_only=True):
    """One page of a query."""

    numbers: tuple[int, ...]  # those that the account may see, in the page's order
    matches: int  # how many tickets match, those that are not shown to the account included
    components: tuple[str, ...]  # empty unless the query asked for a component
    warning: str | None  # what Trac did not understand of the query
    version: str | None  # of the Trac, where its page tells it


def parse_list(html: str) -> TicketList:
    """Read a page of hits, with Lexbor, and if it then fails the gate, with BeautifulSoup.

    Raises:
        PageRejected: this is no whole page of a query.
    """
    if not is_whole(html):
        raise PageCut("The list of tickets ends early.")
    try:
        return _read(LexborDocument(html), html)
    except PageRejected:
        return _read(SoupDocument(html), html)


def _read(document: Document, html: str) -> TicketList:
    count = document.select_one("#content.query .numrows")
    table = document.select_one("#content.query table.tickets")
    matches = None if count is None else _matches(count.line())
    if table is None or matches is None:
        raise PageRejected("The answer is not a list of tickets.")
    cells = [_NUMBER.fullmatch(cell.line()) for cell in table.select("td.id")]
    numbers = tuple(int(found[1]) for found in cells if found is not None)
    if len(numbers) != html.count('<td class="id">'):
        raise PageRejected("The list of tickets has rows without a number.")
    # Trac 0.11 does not number its clauses.
    options = document.select('select[name="0_component"] option, #filters select[name="component"] option')
    warning = document.select_one("#warning")
    return TicketList(
        numbers=numbers,
        matches=matches,
        components=tuple(name for option in options if (name := option.attribute("value") or option.line())),
        warning=None if warning is None else warning.line(),
        version=version_of(html),
    )


def _matches(words: str) -> int | None:
    digits = _DIGITS.search(words)
    if digits is None:
        return 0 if words == "(No matches)" else None  # so says Trac 0.11
    return int(digits[0])

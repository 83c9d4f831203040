"""What Trac's lists add up to, whatever it hides, and whoever shortens them on the way."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.sources.trac.cursor import TracCursor
from crawler.sources.trac.parse.listing import TicketList
from crawler.sources.trac.query import Numbers
from crawler.sources.trac.search import page_of

_TICKETS = st.frozensets(st.integers(1, 400), max_size=60)


def _answer(
    tickets: frozenset[int], hidden: frozenset[int], place: TracCursor, size: int, most: int
) -> TicketList:
    """Trac's answer: it counts what it hides, and pages it."""
    matching = sorted((number for number in tickets if number < place.below), reverse=True)
    shown = matching[(place.page - 1) * size : place.page * size][:most]
    numbers = tuple(number for number in shown if number not in hidden)
    return TicketList(numbers=numbers, matches=len(matching), components=(), warning=None, version=None)


def _walk(
    tickets: frozenset[int], hidden: frozenset[int], *, size: int, most: int
) -> tuple[list[int], int | None]:
    place: TracCursor | None = TracCursor()
    found: list[int] = []
    total = None
    while place is not None:
        page, place = page_of(_answer(tickets, hidden, place, size, most), Numbers(), place, size)
        found += [int(reference.issue_id) for reference in page.references]
        total = page.total
    return found, total


@given(tickets=_TICKETS, hidden=_TICKETS, size=st.integers(1, 70))
@settings(deadline=None)
def test_hidden_tickets_are_not_counted(tickets: frozenset[int], hidden: frozenset[int], size: int) -> None:
    visible = sorted(tickets - hidden, reverse=True)
    assert _walk(tickets, hidden, size=size, most=size) == (visible, len(visible))


@given(tickets=_TICKETS, size=st.integers(1, 70), most=st.integers(1, 70))
@settings(deadline=None)
def test_rows_that_somebody_cut_off_are_asked_for(tickets: frozenset[int], size: int, most: int) -> None:
    everything = sorted(tickets, reverse=True)
    assert _walk(tickets, frozenset(), size=size, most=most) == (everything, len(everything))

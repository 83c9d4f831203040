"""What Trac's lists add up to, whatever it hides, and whoever shortens them on the way."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.sources.trac.cursor import TracCursor
from crawler.sources.trac.parse.listing import TicketList
from crawler.sources.trac.query import Numbers
from crawler.sources.trac.search import SURE_SIZE, page_of

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
        asked = place.size or size
        page, place = page_of(_answer(tickets, hidden, place, asked, most), Numbers(), place, asked)
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


@given(
    shown=st.frozensets(st.integers(1, 900), max_size=12),
    count=st.integers(0, 900),
    size=st.integers(1, 700),
    most=st.integers(SURE_SIZE, 700),
)
@example(shown=frozenset({1}), count=300, size=500, most=100)  # all that was given is hidden
@example(shown=frozenset({900, 450}), count=900, size=500, most=120)
@settings(deadline=None)
def test_what_is_hidden_and_what_is_cut_off_are_told_apart(
    shown: frozenset[int], count: int, size: int, most: int
) -> None:
    tickets = frozenset(range(1, count + 1))
    visible = sorted(tickets & shown, reverse=True)
    assert _walk(tickets, tickets - shown, size=size, most=most) == (visible, len(visible))

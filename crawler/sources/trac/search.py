"""What a list of tickets means for a search: its page of references, where to go on, and which components."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from msgspec.structs import replace

from crawler.errors import UnknownProduct
from crawler.source import Reference, SearchPage
from crawler.sources.trac.cursor import TracCursor
from crawler.sources.trac.parse.listing import TicketList
from crawler.sources.trac.query import Numbers

SURE_SIZE: Final = 100  # rows of a page that nobody shortens: Trac itself gives so many unless it is asked


def components_of(product: str, listed: TicketList) -> tuple[str, ...]:
    """The components that a product stands for: the one of that name, or else those that begin with it.

    Raises:
        UnknownProduct: there is none.
    """
    known = listed.components
    folded = product.casefold()
    if product in known or (known and listed.matches):  # a component that was deleted still has its tickets
        return (product,)
    same = tuple(name for name in known if name.casefold() == folded)
    found = same or tuple(name for name in known if name.casefold().startswith(folded))
    if found:
        return found
    near = get_close_matches(product, known, n=3)
    hint = (
        f" Near to it: {', '.join(near)}." if near else f" It has: {', '.join(known[:20])}." if known else ""
    )
    raise UnknownProduct(f"The tracker has no component {product!r}.{hint}")


def page_of(
    listed: TicketList, numbers: Numbers, place: TracCursor, size: int
) -> tuple[SearchPage, TracCursor | None]:
    """Make a page of what was listed, and say where to go on.

    Trac counts tickets that it hides from the account. How many of them are on a page shows by the rows that
    are missing from it. They may also be missing because somebody on the way gives fewer rows than were asked
    for. So after a page with rows it is asked what comes below the last one, and a page without any is
    believed only if it is no longer than those that this tracker gives.
    """
    floor = numbers.below(place.below)[1]
    before = (place.page - 1) * size
    fresh = dict.fromkeys(
        number for number in listed.numbers if number < place.below and numbers.allow(number)
    )
    granted = max(place.granted, len(listed.numbers))
    sure = max(granted, SURE_SIZE)
    hidden = max(min(size, listed.matches - before) - len(listed.numbers), 0)
    here = replace(place, granted=granted, seen=place.seen + len(fresh))
    following: TracCursor | None
    if not fresh and hidden and size > sure:
        following = replace(here, page=1, size=sure)
        hidden = 0  # as far as anybody knows
    elif listed.matches <= before + size and not (fresh and hidden):
        # A question that was too long goes on where it ended.
        following = replace(here, below=floor, page=1, size=0) if floor > 1 else None
    elif fresh:
        following = replace(here, below=min(fresh), page=1, size=0)
    else:
        following = replace(here, page=place.page + 1, size=size)
    page = SearchPage(
        references=tuple(Reference(issue_id=str(number)) for number in fresh),
        cursor=None if following is None else following.text(),
        total=place.seen + listed.matches - before - hidden if floor == 1 else None,
        server=None if listed.version is None else f"Trac {listed.version}",
    )
    return page, following

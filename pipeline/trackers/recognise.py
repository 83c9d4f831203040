"""What kind of tracker is at an address: by the address alone, or by asking the server."""

from __future__ import annotations

import re
from typing import NamedTuple

from crawler.errors import UsageError
from crawler.http.origin import Origin
from crawler.http.proxy import Proxy
from crawler.http.reach import Reach
from crawler.sources import find_kind, kind_names
from pipeline.trackers.connect import Tracker
from pipeline.trackers.process import TrackerProcess


class Place(NamedTuple):
    """A tracker's kind, and its base address."""

    kind: str
    base_url: str
    server: str | None = None  # the program with its version, where the server was asked and told them


def place_of(kind: str, url: str) -> Place:
    """Return the place of a tracker of a known kind; its base address, where the address is one of its pages.

    Raises:
        UsageError: the kind or the address cannot be.
    """
    known = find_kind(kind)
    page = bare(url)
    Origin(page)  # no address with a password goes any further
    base_url = known.base_of(page) if known.base_of is not None else None
    if base_url is None:
        Origin(url)  # what stands behind its ? may be a key
    return Place(kind, (base_url or url).rstrip("/"))


async def recognise(url: str, *, proxy: Proxy | None = None, reach: Reach | None = None) -> Place:
    """Find out what kind of tracker is at an address; no credential is sent.

    Args:
        url: as people copy it from their browser.
        proxy: that the server is asked through.
        reach: which addresses may be connected to; None: any.

    Raises:
        UsageError: it is none that is known, or the address cannot be.
        TrackerError: the server cannot be reached.
    """
    page = bare(url)
    places = [place_of(name, page) for name in kind_names()]
    asked = Origin(page)
    for place in places:
        if Origin(place.base_url).name != asked.name:  # such as github.com, whose API is elsewhere
            return place
    # Kinds that know the address of one of their pages come first.
    places.sort(key=lambda place: place.base_url == page.rstrip("/"))
    tracker = Tracker(tracker_id=0, name=page, kind=places[0].kind, base_url=page, proxy=proxy, reach=reach)
    async with TrackerProcess(tracker) as process:
        kind, server = await process.recognise([(place.kind, place.base_url) for place in places])
    for place in places:
        if place.kind == kind:
            return place._replace(server=server)
    raise UsageError(
        f"{asked.name} is no tracker that is known here: give --kind, one of {', '.join(kind_names())}."
    )


def bare(url: str) -> str:
    """An address without what its page was asked."""
    return re.split(r"[?#]", url, maxsplit=1)[0]

"""Which of the issues that have the words are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from crawler.errors import UsageError
from db.acting import Acting

if TYPE_CHECKING:
    from crawler.query import ParsedQuery

_MOST_WORDS = 500  # of the stored issues, to tell what may have been meant


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What issues must have beside the words; None: whatever."""

    product: str | None = None  # a product, or the beginning of several's names
    status: str | None = None  # open, closed, or the tracker's own word
    state: str | None = None  # open, in_progress, done or unknown
    created_from: datetime | None = None  # registered at or after this time
    created_to: datetime | None = None  # registered before this time
    updated_from: datetime | None = None  # changed, else registered, at or after this time
    updated_to: datetime | None = None  # changed, else registered, before this time
    reporter: str | None = None  # has this in the name
    owner: str | None = None  # has this in the name
    priority: str | None = None  # the tracker's own word
    module: str | None = None  # the tracker's own word
    tracker: str | None = None  # by name
    has_attachment: bool | None = None
    places: tuple[str, ...] | None = None  # which of PLACES the words are looked for in
    user_id: int | None = None  # whose; somebody else's are for admins and analysts

    def within(self, parsed: ParsedQuery) -> Filters:
        """These filters, and where they leave something open, the question's own."""
        asked = parsed.filters
        return replace(
            self,
            product=self.product or asked.get("product"),
            status=self.status or asked.get("status"),
            reporter=self.reporter or asked.get("reporter"),
            owner=self.owner or asked.get("owner"),
            updated_from=self.updated_from or _day(asked.get("since")),
            updated_to=self.updated_to or _day(asked.get("until"), after=1),
        )

    def for_database(self) -> dict[str, Any]:
        """As ``ims.search_issues`` takes them; the product is an argument of its own there."""
        given = {
            "in" if name == "places" else name: value
            for name, value in asdict(self).items()
            if name != "product" and value is not None
        }
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()
        }


PLACES = ("title", "description", "comments", "attachments")
NAMES = ("product", "status", "state", "reporter", "owner", "priority", "module", "tracker")


def read_filters(given: Mapping[str, str]) -> Filters:
    """Read filters as people type them.

    Args:
        given: any of ``NAMES`` as they are; ``created`` and ``updated`` as spans of time, ``since`` and
            ``until`` as times, both of the last change; ``has_attachment``; ``places``, some of ``PLACES``.

    Raises:
        UsageError: a time is none, or is given twice; or there is no such place.
    """
    if "updated" in given and ("since" in given or "until" in given):
        raise UsageError("--since and --until are about the last change too: give them, or --updated A..B.")
    from pipeline.search.moments import read_moment, read_span

    created_from, created_to = read_span(given.get("created"))
    updated_from, updated_to = read_span(given.get("updated"))
    words: dict[str, Any] = {name: given[name] for name in NAMES if name in given}
    return Filters(
        **words,
        created_from=created_from,
        created_to=created_to,
        updated_from=updated_from or read_moment(given.get("since")),
        updated_to=updated_to or read_moment(given.get("until"), end=True),
        has_attachment=True if "has_attachment" in given else None,
        places=_places(given["places"]) if "places" in given else None,
    )


def _places(typed: str) -> tuple[str, ...]:
    named = [word.strip().lower() for word in typed.split(",")]
    places = tuple(place for place in PLACES if place in named or place.removesuffix("s") in named)
    if len(places) < len(set(named)):
        raise UsageError(f"--in takes {', '.join(PLACES[:-1])} or {PLACES[-1]}, or several with commas.")
    return places


def check_words(acting: Acting, filters: Filters) -> None:
    """Make sure that what nothing was found with is at least a word of the stored issues.

    Raises:
        UsageError: no stored issue has this status, product, priority or module; near ones are named.
    """
    for name in ("status", "product", "priority", "module"):
        wanted = getattr(filters, name)
        if wanted is None or (name == "status" and wanted.lower() in ("open", "closed")):
            continue
        rows = acting.rows("asking", "words", {"column": name, "most": _MOST_WORDS})
        words = [row["word"] for row in rows]
        if name == "status" and words:
            words += ["open", "closed"]
        folded = {word.lower(): word for word in words}
        if not words or any(_is(name, word, wanted.lower()) for word in folded):
            continue
        from difflib import get_close_matches  # only where nothing was found

        near = get_close_matches(wanted.lower(), folded, n=3, cutoff=0.5) or sorted(folded)[:3]
        meant = " or ".join(folded[one] for one in near)
        raise UsageError(f"No stored issue has the {name} {wanted!r}. Did you mean {meant}?")


def _is(name: str, word: str, wanted: str) -> bool:
    return word.startswith(wanted) if name == "product" else word == wanted


def check_tracker(acting: Acting, name: str | None) -> None:
    """Make sure that a tracker is there.

    Raises:
        UsageError: the user has no tracker of this name.
    """
    if name is not None and not acting.value("asking", "tracker", {"name": name}):
        raise UsageError(f"There is no tracker called {name!r}: see trackers list.")


def _day(text: str | None, *, after: int = 0) -> datetime | None:
    if text is None:
        return None
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=after)

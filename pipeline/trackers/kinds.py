"""The kinds of trackers that are installed, found by their entry points."""

from __future__ import annotations

from importlib.metadata import entry_points

from crawler.errors import UsageError
from crawler.source import Source

SOURCES = "ims_crawler.sources"


def kinds() -> list[str]:
    """The kinds of trackers that are installed."""
    return sorted({entry.name for entry in entry_points(group=SOURCES)})


def source_class(kind: str) -> type[Source]:
    """The class that speaks with this kind of tracker.

    Raises:
        UsageError: no such kind is installed.
    """
    for entry in entry_points(group=SOURCES, name=kind):
        loaded: type[Source] = entry.load()
        return loaded
    raise UsageError(f"There is no kind of tracker called {kind!r}: use one of {', '.join(kinds())}.")


def has_known_products(kind: str) -> bool:
    """Whether the product names that a question is searched for are those of this kind of tracker."""
    return bool(getattr(source_class(kind), "has_known_products", False))

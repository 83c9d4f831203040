"""The kinds of trackers: a package each, and those that third parties have installed."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from crawler.errors import UsageError
from crawler.source import Kind

ENTRY_POINTS = "ims_crawler.sources"  # the group in which a third party names its Kind


def kind_names() -> list[str]:
    """Return the names of the kinds that are here, in alphabetical order."""
    return sorted({*_built_in(), *(entry.name for entry in entry_points(group=ENTRY_POINTS))})


def find_kind(name: str) -> Kind:
    """Return a kind of tracker; its source and parser are loaded when they are opened.

    Raises:
        UsageError: there is no such kind.
    """
    if name in _built_in():
        built_in: Kind = import_module(f"{__name__}.{name}").KIND
        return built_in
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        installed: Kind = entry.load()
        return installed
    raise UsageError(f"There is no kind of tracker called {name!r}: use one of {', '.join(kind_names())}.")


def _built_in() -> set[str]:
    return {module.name for module in iter_modules(__path__) if module.ispkg}

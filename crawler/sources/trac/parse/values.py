"""What a field of a ticket is, whatever the language and zone of the session that its page was made for."""

from __future__ import annotations

import re

from crawler.sources.trac.parse.script import time_of

_NAMES = frozenset({"cc", "keywords", "owner", "reporter"})  # shown in other words, or in another order
_BOX = {"0": "no", "1": "yes"}


def exact(name: str, words: str, stored: str | None) -> str:
    """The value of a field.

    Args:
        name: the field's own name.
        words: what the page shows of it. Wiki text stands there as a reader sees it.
        stored: what the page's script tells of it; None: there is no such script.
    """
    if stored is None:
        return words
    if name in _NAMES:
        return stored
    if words != stored:
        # Any other field that holds these shows them as they are.
        if stored in _BOX:
            return _BOX[stored]
        if (moment := time_of(stored)) is not None:
            return moment.isoformat()
        if _items(words) == _items(stored):
            return stored  # a list, which the page punctuates in its own way
    return words


def display_name(login: str | None, shown: str | None) -> dict[str, str]:
    """How a login name is shown; nothing where that is the name itself or hides a part of it."""
    if not login or not shown or login == shown or "…" in shown:
        return {}
    return {login: shown}


def _items(text: str) -> list[str]:
    return sorted(item for item in re.split(r"[;,\s]+", text) if item)

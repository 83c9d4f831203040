"""Mail addresses that a Trac page hides from the account: `sato@…` in its words, whole in its script.

Trac hides an address in the names of people and in wiki text from whoever may not see addresses, but sends
it whole in the page's script. An address counts as shown where the page's own words or links have it whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from crawler.html import Document
from crawler.records import Json

# Where Trac looks for addresses in texts, and a little beyond. Each character is read once.
_IN_TEXT = re.compile(r"(?<![\w.+%-])([\w.+%-]++)@([\w-]*+\.[\w.-]*\w)")
# Where a name may stand, everything that goes with an @ is an address, as for Trac.
_IN_NAMES = re.compile(r"(?<![^\s<>@,;\"'()])[^\s<>@,;\"'()]++@[^\s<>@,;\"'()]++")
_PLACES = "#ticket", "#changelog", "#attachments"
_PEOPLE = frozenset({"author", "cc", "owner", "reporter"})
_RENDERED = "rendered"  # the page's own words once more


def shown_addresses(document: Document) -> frozenset[str]:
    """Every mail address that the page shows whole to the account that it was made for."""
    return frozenset(found for words in _words(document) for found in _addresses(words))


def _words(document: Document) -> Iterator[str]:
    for place in _PLACES:
        node = document.select_one(f"#content {place}")
        if node is not None:
            yield node.text()
            yield from (unquote(link.attribute("href") or "") for link in node.select('a[href*="%40"]'))
            yield from (link.attribute("href") or "" for link in node.select('a[href*="@"]'))


def _addresses(words: str) -> Iterator[str]:
    for piece in re.split(r"[?&=+:]", words) if "?" in words else (words,):
        yield from (found[0] for found in _IN_TEXT.finditer(piece))
        yield from _IN_NAMES.findall(piece)


def without_hidden(value: Json, shown: frozenset[str], *, is_name: bool = False) -> Json:
    """The same value with every address in it hidden that the page does not show.

    Args:
        value: what the script says, with everything within.
        shown: the addresses that the page shows.
        is_name: it names people, or is within what does.
    """
    if isinstance(value, str):
        return _name(value, shown) if is_name else _text(value, shown)
    if isinstance(value, list):
        return [without_hidden(each, shown, is_name=is_name) for each in value]
    if isinstance(value, dict):
        return {
            key: each if key == _RENDERED else without_hidden(each, shown, is_name=is_name or key in _PEOPLE)
            for key, each in value.items()
        }
    return value


def _text(text: str, shown: frozenset[str]) -> str:
    if "@" not in text:
        return text
    return _IN_TEXT.sub(lambda found: found[0] if found[0] in shown else f"{found[1]}@…", text)


def _name(names: str, shown: frozenset[str]) -> str:
    """One name or several; of each, Trac shows what stands before the address's host."""
    return re.sub(r"[^,;]+", lambda found: _one(found[0], shown), names) if "@" in names else names


def _one(name: str, shown: frozenset[str]) -> str:
    before, at, after = name.partition("@")
    addresses = _IN_NAMES.findall(name)
    if not at or after in ("…", "…>") or (addresses and all(each in shown for each in addresses)):
        return name
    return f"{before}@…{'>' if after.rstrip().endswith('>') else ''}"

"""The words that the rules know, kept as data beside the program and read when first needed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from crawler.query.natural.terms import Item, Kind, left_out
from crawler.query.script import fold

_KINDS = {"and": Kind.AND, "or": Kind.OR, "not_next": Kind.NOT_NEXT, "not_prev": Kind.NOT_PREV}


@dataclass(frozen=True)
class Lexicon:
    """Lists of words by what they do, and the longest of each list in words."""

    lists: dict[str, frozenset[str]]
    longest: int

    def has(self, name: str, word: str) -> bool:
        """Tell whether a folded word is in the list."""
        return word in self.lists[name]

    def ordered(self, name: str) -> tuple[str, ...]:
        """Return a list, longest word first."""
        return tuple(sorted(self.lists[name], key=lambda word: (-len(word), word)))

    def joint(self, word: str) -> Item | None:
        """Return what a folded word joins or parts, if it does."""
        for name, kind in _KINDS.items():
            if word in self.lists[name]:
                return Item(kind, word)
        return left_out(word) if word in self.lists["stop"] else None


@cache
def lexicon(name: str) -> Lexicon:
    """Read one of the files in ``words``, whose lists are texts with a comma between two entries."""
    lists = {key: _entries(text) for key, text in _read(name).items()}
    for key in (*_KINDS, "stop"):
        lists.setdefault(key, frozenset())
    longest = max(len(word.split()) for words in lists.values() for word in words)
    return Lexicon(lists, longest)


@cache
def nouns(name: str) -> frozenset[str]:
    """Read a language's nouns that look as if they had a particle in them or at their end."""
    text = files("crawler.query").joinpath("words", f"{name}_nouns.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@cache
def product_names() -> dict[str, str]:
    """Return the products of every kind's catalogue, in every spelling, with the name the tracker uses."""
    names: dict[str, str] = {}
    kinds = files("crawler") / "sources"  # a folder: the package would load what a source is
    catalogues = (kind / "products.toml" for kind in kinds.iterdir() if kind.is_dir())
    known = [tomllib.loads(one.read_text("utf-8")) for one in catalogues if one.is_file()]
    for product, spellings in [entry for catalogue in known for entry in catalogue.items()]:
        names |= dict.fromkeys((product, *filter(None, map(str.strip, spellings.split(",")))), product)
    return names


def _read(name: str) -> dict[str, str]:
    text = files("crawler.query").joinpath("words", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _entries(text: str) -> frozenset[str]:
    return frozenset(" ".join(fold(entry).split()) for entry in text.split(",") if entry.strip())

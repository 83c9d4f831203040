"""The products a question names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from crawler.query.natural.lexicon import product_names
from crawler.query.script import clean, fold

_FIRST = r"(?<![0-9A-Za-z_./\\:@$#\-+])"
_LAST = r"(?![0-9A-Za-z_@$\\]|[-./:+][0-9A-Za-z])"
_BEFORE = r"(?P<before>\b(?:in|on|of|for|from|using|product|component|module)\s+(?:the\s+)?(?:product\s+)?)?"
_AFTER = (
    r"(?P<after>\s*(?:제품군|제품|모듈|컴포넌트)(?:에서|의)?(?![가-힣])"
    r"|(?:에서는|에서의|에서|에의|용|의)(?![가-힣])|(?:における|において|での|では|で|の))?"
    r"(?P<particle>(?:에는|에|은|는|이|가|을|를|로)(?![가-힣])|(?:には|に|は|が|を))?"
)


class Product(NamedTuple):
    """A product named in a question."""

    name: str  # as the tracker calls it
    certain: bool  # something beside the name says that it is the product


class Products:
    """The names to be recognised, in every spelling."""

    def __init__(self, products: tuple[str, ...]) -> None:
        known = product_names()
        self._names = {_key(name): name for name in products} | {_key(name): known[name] for name in known}
        self._always = frozenset(map(_key, known))
        names = sorted(self._names, key=len, reverse=True)
        forms = "|".join(r"\s+".join(map(re.escape, name.split())) for name in names if name)
        self.pattern = re.compile(f"{_BEFORE}{_FIRST}(?P<name>{forms}){_LAST}{_AFTER}", re.IGNORECASE)

    def read(self, found: re.Match[str]) -> Product | None:
        """Return the product; None where the name may as well be just a word."""
        written = found["name"]
        key = _key(written)
        name = self._names.get(key)
        if name is None:  # letters that match without regard to case and are not the same letter
            return None
        certain = bool(found["before"] or found["after"])
        if not certain and key not in self._always and not _is_distinctive(written):
            return None
        return Product(name, certain)


def known_products(products: Sequence[str]) -> Products:
    """Return the names to be recognised: those given and those that are always known."""
    return _products(tuple(filter(str.strip, map(clean, products))))


@lru_cache(maxsize=8)
def _products(products: tuple[str, ...]) -> Products:
    return Products(products)


def _key(name: str) -> str:
    return " ".join(fold(name).split())


def _is_distinctive(written: str) -> bool:
    """Tell whether it is written as only names are: "JEUS" or "OpenStudio", not "General"."""
    return any(char.isupper() or char.isdigit() for char in written[1:]) and not written.isdigit()

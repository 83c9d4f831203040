"""Which products a name stands for."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from crawler.errors import UnknownProduct


def products_named(wanted: str, known: Sequence[str]) -> tuple[str, ...]:
    """The product of that name, or else those whose names begin so.

    Raises:
        UnknownProduct: there is none.
    """
    folded = wanted.casefold()
    same = [name for name in known if name.casefold() == folded]
    found = same or [name for name in known if name.casefold().startswith(folded)]
    if found:
        return tuple(sorted(found))
    near = get_close_matches(wanted, known, n=3) or sorted(known)[:20]
    raise UnknownProduct(
        f"Bugzilla shows this account no product {wanted!r}."
        + (f" It has: {', '.join(near)}." if near else " It shows none at all.")
    )

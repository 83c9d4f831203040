"""The products of what is stored, to be recognised in a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from db.acting import Acting

MOST = 500  # names; a question is held against each of them


def own_products(acting: Acting) -> Sequence[str]:
    """Return the products of one's own issues."""
    return [row["product"] for row in acting.rows("asking", "products", {"most": MOST})]


def any_begins(products: Sequence[str]) -> Callable[[str], bool]:
    """Tells whether one of the names begins so, in whatever case."""
    stored = [name.lower() for name in products]
    return lambda asked: any(name.startswith(asked.lower()) for name in stored)

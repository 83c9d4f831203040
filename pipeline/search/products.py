"""The products of what is stored, to be recognised in a question."""

from __future__ import annotations

from collections.abc import Sequence

from db.acting import Acting

MOST = 500  # names; a question is held against each of them


def own_products(acting: Acting) -> Sequence[str]:
    """Return the products of one's own issues."""
    return [row["product"] for row in acting.rows("asking", "products", {"most": MOST})]

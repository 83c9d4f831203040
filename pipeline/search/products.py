"""The products of what is stored, to be recognised in a question."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Issue

MOST = 500  # names; a question is held against each of them


def own_products(session: Session) -> Sequence[str]:
    """Return the products of one's own issues, hopping through the index from each name to the next."""
    me = func.ims.current_user_id()
    first = select(func.min(Issue.product).label("product")).where(Issue.user_id == me)
    hop = first.cte("hop", recursive=True)
    following = select(func.min(Issue.product)).where(Issue.user_id == me, Issue.product > hop.c.product)
    hop = hop.union_all(select(following.scalar_subquery()).where(hop.c.product.is_not(None)))
    names = select(hop.c.product).where(hop.c.product != "").limit(MOST)
    return session.scalars(names).all()

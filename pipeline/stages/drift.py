"""The guard against a tracker's new layout: a field that everybody filled does not become empty overnight.

A page whose layout changed may pass its gate and yet yield no priority, or no comments. Stored, that would
look as if somebody had taken them all away. So each batch is held against what is stored of the tracker.
"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.errors import LayoutChanged
from db.crawl.fill_rates import FillRates, fill_rates
from db.rows import IssueRow
from pipeline.stages.state import Fetched, Plan

MOSTLY_FILLED = 0.8  # of the stored issues
NEARLY_EMPTY = 0.05  # of the batch: no more than that says something
KNOWN_ISSUES = 50  # fewer stored ones prove nothing
BATCH_ISSUES = 20  # fewer read ones prove nothing


class DriftGuard:
    """Looks at the batches of one run of a session."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rates: FillRates | None = None

    async def wants_more(self, batch: Sequence[Fetched]) -> bool:
        """Tell whether the batch looks odd and is too small to say so: it should wait for further issues."""
        rows = _rows(batch)
        return 0 < len(rows) < BATCH_ISSUES and bool(await self._emptied(rows))

    async def check(self, batch: Sequence[Fetched]) -> None:
        """Look at a batch before it is stored.

        Raises:
            LayoutChanged: a field that was mostly filled is empty in nearly all of it.
        """
        rows = _rows(batch)
        if len(rows) >= BATCH_ISSUES and (emptied := await self._emptied(rows)):
            raise LayoutChanged(self._sentence(emptied, rows))

    async def _emptied(self, rows: Sequence[IssueRow]) -> list[str]:
        rates = await self._known()
        if rates.issues < KNOWN_ISSUES:
            return []
        return [
            name
            for name in rates.filled
            if name not in self._plan.lease.allow_empty
            and rates.share(name) >= MOSTLY_FILLED
            and sum(bool(getattr(row, name)) for row in rows) <= NEARLY_EMPTY * len(rows)
        ]

    async def _known(self) -> FillRates:
        """Ask once; while too little is stored, at every batch, since this session may add to it."""
        if self._rates is None or self._rates.issues < KNOWN_ISSUES:
            lease = self._plan.lease
            self._rates = await self._plan.loading.run(
                lambda c: fill_rates(c, user_id=lease.user_id, tracker_id=lease.tracker_id)
            )
        return self._rates

    def _sentence(self, emptied: Sequence[str], rows: Sequence[IssueRow]) -> str:
        assert self._rates is not None  # noqa: S101 - something was compared with it
        name = emptied[0]
        page = next(row for row in rows if not getattr(row, name))
        url = page.pages[0].url if page.pages else page.url
        others = f" (and so are {', '.join(emptied[1:])})" if len(emptied) > 1 else ""
        return (
            f"The field {name} says something in {self._rates.share(name):.0%} of the stored issues and in "
            f"next to none of the last {len(rows)} read{others}: the tracker's layout may have changed, see "
            f"{url}. None of these issues is stored; if they are right, go on with --allow-empty {name}."
        )


def _rows(batch: Sequence[Fetched]) -> list[IssueRow]:
    return [fetched.row for fetched in batch if fetched.row is not None]

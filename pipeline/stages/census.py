"""The last stage of a census: tombstones for what is gone, all at once or none."""

from __future__ import annotations

import psycopg
import structlog

from db.crawl.census import LARGEST_SHARE, Burial, bury
from db.crawl.progress import ErrorRow, add_errors
from pipeline.stages.state import Belt, Plan

REFUSED = "CensusRefused"  # the error's type in session_errors

log = structlog.get_logger(__name__)


async def conclude(plan: Plan, belt: Belt) -> None:
    """Set the tombstones, or say why they are not set."""
    handle = plan.handle

    async def work(connection: psycopg.AsyncConnection) -> Burial | None:
        burial = await bury(connection, handle.scope, fence=handle.fence, many=handle.remove_many)
        if burial is not None and burial.removed is None:
            error = ErrorRow(error_type=REFUSED, message=_refusal(burial))
            await add_errors(connection, user_id=handle.user_id, session_id=handle.session_id, errors=[error])
        return burial

    burial = await plan.loading.run(work)
    if burial is None or burial.removed is None:
        belt.shortfall = True
    else:
        log.info("census concluded", expected=burial.expected, **burial.removed)


def _refusal(burial: Burial) -> str:
    return (
        f"{burial.gone} of {burial.expected} stored issues are gone from the tracker, more than"
        f" {LARGEST_SHARE:.0%}: nothing was marked as removed; if that is right, do it again with --yes."
    )

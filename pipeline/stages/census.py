"""The last stage of a census: tombstones for what is gone, all at once or none."""

from __future__ import annotations

import psycopg

from db.crawl.census import LARGEST_SHARE, RemovalResult, mark_removed
from db.crawl.progress import ErrorRow, add_errors
from db.log_library import structlog
from pipeline.stages.state import Plan, RunState

REFUSED = "CensusRefused"  # the error's type in session_errors

log = structlog.get_logger(__name__)


async def conclude(plan: Plan, state: RunState) -> None:
    """Set the tombstones, or say why they are not set."""
    lease = plan.lease

    async def work(connection: psycopg.AsyncConnection) -> RemovalResult | None:
        removal = await mark_removed(
            connection, lease.scope, fence=lease.fence, allow_mass_removal=lease.allow_mass_removal
        )
        if removal is not None and removal.removed is None:
            error = ErrorRow(error_type=REFUSED, message=_refusal(removal))
            await add_errors(connection, user_id=lease.user_id, session_id=lease.session_id, errors=[error])
        return removal

    removal = await plan.loading.run(work)
    if removal is None or removal.removed is None:
        state.shortfall = True
    else:
        log.info("census concluded", expected=removal.expected, **removal.removed)


def _refusal(removal: RemovalResult) -> str:
    return (
        f"{removal.gone} of {removal.expected} stored issues are gone from the tracker, more than"
        f" {LARGEST_SHARE:.0%}: nothing was marked as removed; if that is right, do it again with --yes."
    )

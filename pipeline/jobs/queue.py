"""procrastinate, set up for us: its own schema, few connections, and ends that only a job's holder tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.utils import utcnow

from db.job_queue import SCHEMA
from db.queries import statements


class FencedJobs(JobManager):
    """Jobs whose end counts only if it is told by the worker that has them.

    A worker that was stopped for a while is thought dead, and its jobs become others'. When it goes on, what
    it says of them must do nothing.
    """

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End a job that is still its worker's."""
        await self._say("finish", job, status=status.value, delete=delete_job)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back that is still its worker's."""
        await self._say("retry", job, at=retry_at or utcnow())

    async def _say(self, statement: str, job: Job, **values: Any) -> None:
        text = statements("jobs")[statement].decode()
        await self.connector.execute_query_async(text, job_id=job.id, worker_id=job.worker_id, **values)


def open_app(conninfo: str) -> App:
    """The queue, not yet opened.

    Args:
        conninfo: the application's login.
    """
    app = App(
        connector=PsycopgConnector(
            conninfo=conninfo,
            kwargs={"options": f"-c search_path={SCHEMA}", "application_name": "ims-crawler"},
            min_size=1,
            max_size=4,
        )
    )
    app.job_manager = FencedJobs(app.connector)
    return app

"""Work with the database beside an event loop: in a thread, and again after a fault that passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from db.errors import DatabaseUnreachable
from db.log_library import structlog
from db.refusals import driver_error
from db.transient import is_transient

P = ParamSpec("P")
T = TypeVar("T")

PAUSES = (0.1, 0.5, 2.0, 5.0)  # seconds between tries of a transaction

log = structlog.get_logger(__name__)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do a transaction in a thread, and again after a fault that passes; it must do no harm when repeated.

    A thread, since it may wait for a lock that another task of this very process holds.
    """
    for pause in PAUSES:
        try:
            return await asyncio.to_thread(function, *args, **kwargs)
        except DatabaseUnreachable as error:
            log.warning("the database is asked again", reason=str(error))
        except Exception as error:
            of_the_driver = driver_error(error)
            if of_the_driver is None or not is_transient(of_the_driver):
                raise
        await asyncio.sleep(pause)
    return await asyncio.to_thread(function, *args, **kwargs)

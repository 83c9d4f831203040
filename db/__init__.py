"""The database: ``with get_session(user_id=2) as session:`` and the models to use in it.

Names are loaded when they are first asked for: a process that only keeps a server alive loads no ORM.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.models import Alert as Alert
    from db.models import AlertHit as AlertHit
    from db.models import AnalyticsDaily as AnalyticsDaily
    from db.models import AnalyticsMonthly as AnalyticsMonthly
    from db.models import Attachment as Attachment
    from db.models import AuditLog as AuditLog
    from db.models import Base as Base
    from db.models import CrawlSession as CrawlSession
    from db.models import FileText as FileText
    from db.models import FileTextPart as FileTextPart
    from db.models import Issue as Issue
    from db.models import IssueComment as IssueComment
    from db.models import IssueHistory as IssueHistory
    from db.models import IssueRelation as IssueRelation
    from db.models import RawPage as RawPage
    from db.models import SavedSearch as SavedSearch
    from db.models import SearchQuery as SearchQuery
    from db.models import SessionError as SessionError
    from db.models import SessionFrontier as SessionFrontier
    from db.models import SessionIssue as SessionIssue
    from db.models import Tracker as Tracker
    from db.models import TrackerSecret as TrackerSecret
    from db.models import TrackerState as TrackerState
    from db.models import User as User
    from db.session import get_async_session as get_async_session
    from db.session import get_session as get_session


def __getattr__(name: str) -> object:
    """Load a name on first use."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module("db.session" if name in {"get_session", "get_async_session"} else "db.models")
    try:
        found: object = getattr(module, name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = found
    return found

"""The tables of the schema ``ims`` as SQLAlchemy models, one noun a file."""

from db.models.alert import Alert
from db.models.alert_hit import AlertHit
from db.models.analytics_daily import AnalyticsDaily
from db.models.analytics_monthly import AnalyticsMonthly
from db.models.attachment import Attachment
from db.models.audit_log import AuditLog
from db.models.base import SCHEMA, Base
from db.models.crawl_session import CrawlSession
from db.models.file_text import FileText, FileTextPart
from db.models.issue import Issue
from db.models.issue_comment import IssueComment
from db.models.issue_history import IssueHistory
from db.models.issue_relation import IssueRelation
from db.models.issue_summary import IssueSummary
from db.models.raw_page import RawPage
from db.models.run import Run
from db.models.saved_search import SavedSearch
from db.models.search_query import SearchQuery
from db.models.session_chunk import SessionChunk
from db.models.session_error import SessionError
from db.models.session_frontier import SessionFrontier
from db.models.session_issue import SessionIssue
from db.models.summary_refresh import SummaryRefresh
from db.models.tracker import Tracker
from db.models.tracker_secret import TrackerSecret
from db.models.tracker_state import TrackerState
from db.models.user import User

__all__ = [
    "SCHEMA",
    "Alert",
    "AlertHit",
    "AnalyticsDaily",
    "AnalyticsMonthly",
    "Attachment",
    "AuditLog",
    "Base",
    "CrawlSession",
    "FileText",
    "FileTextPart",
    "Issue",
    "IssueComment",
    "IssueHistory",
    "IssueRelation",
    "IssueSummary",
    "RawPage",
    "Run",
    "SavedSearch",
    "SearchQuery",
    "SessionChunk",
    "SessionError",
    "SessionFrontier",
    "SessionIssue",
    "SummaryRefresh",
    "Tracker",
    "TrackerSecret",
    "TrackerState",
    "User",
]

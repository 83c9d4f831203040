"""What the loader takes: one issue with everything that hangs on it, close to the tables' columns.

Every time is aware; text is whole and may hold anything, since the loader mends what PostgreSQL cannot
store. A column's meaning is told where it is defined, in ``db.models``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Struct, field


class CommentRow(Struct, frozen=True, kw_only=True):
    """One comment of the issue."""

    source_id: str | None = (
        None  # the tracker's own id; without it the number, else author and time identify it
    )
    number: int | None = None
    author: str | None = None
    content: str = ""
    commented_at: datetime | None = None
    is_private: bool = False


class ChangeRow(Struct, frozen=True, kw_only=True):
    """One entry of the issue's history, in the tracker's order; identical entries are all kept."""

    source_id: str | None = None  # the tracker's own id; without it what the entry says identifies it
    changed_by: str | None = None
    changed_at: datetime | None = None
    change_type: str = "field"
    field_name: str | None = None
    old_value: str | None = None
    new_value: str | None = None
    description: str | None = None


class AttachmentRow(Struct, frozen=True, kw_only=True):
    """What is known of an attached file without its bytes."""

    source_id: str | None = None  # the tracker's own id; without it name, author and time identify it
    filename: str = ""
    file_type: str | None = None
    file_size: int | None = None  # bytes
    download_url: str | None = None
    author: str | None = None
    attached_at: datetime | None = None
    description: str | None = None


class RelationRow(Struct, frozen=True, kw_only=True):
    """A link from the issue to another one of the same tracker."""

    related_issue_id: str
    relation_type: str = "related"
    title: str | None = None


class PackedPageRow(Struct, frozen=True, kw_only=True):
    """One answer of the tracker, compressed: how a page is kept."""

    url: str
    body: bytes  # zstd
    size: int  # bytes, inflated
    sha256: bytes  # of the inflated bytes
    content_type: str | None = None
    part: str = "issue"  # which of the issue's pages this is
    status: int = 200
    fetched_at: datetime | None = None


class SameIssueRow(NamedTuple):
    """One issue whose pages are those that its stored row was read from."""

    issue_id: str
    position: int  # its place in the session's order
    crawl_duration_ms: int  # what it took to have it
    had_errors: bool = False
    error_message: str | None = None


class IssueRow(Struct, frozen=True, kw_only=True):
    """One issue as one account saw it at one moment."""

    issue_id: str
    url: str | None = None
    title: str = ""
    description: str | None = None
    product: str | None = None
    status: str | None = None
    state: str = "unknown"  # open, in_progress, done, unknown
    priority: str | None = None
    severity: str | None = None
    issue_type: str | None = None
    reporter: str | None = None
    owner: str | None = None
    manager: str | None = None
    registered_date: datetime | None = None
    modified_date: datetime | None = None
    closed_date: datetime | None = None
    project_code: str | None = None
    project_name: str | None = None
    site: str | None = None
    customer: str | None = None
    module: str | None = None
    found_version: str | None = None
    fixed_version: str | None = None
    target_version: str | None = None
    full_data: Mapping[str, Any] = field(default_factory=dict)  # JSON
    comments: Sequence[CommentRow] = ()
    history: tuple[ChangeRow, ...] = ()
    attachments: tuple[AttachmentRow, ...] = ()
    relations: tuple[RelationRow, ...] = ()
    # What follows tells of the crawl, not of the issue: it is no part of the content hash.
    pages: tuple[PackedPageRow, ...] = ()
    observed_at: datetime | None = None  # when it was seen; None: its pages tell
    position: int = 0  # the issue's place in the session's order
    crawl_duration_ms: int = 0
    had_errors: bool = False
    error_message: str | None = None

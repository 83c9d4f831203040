"""What a tracker says about an issue, in one shape for every tracker.

Every time is aware and in UTC. Every text is what the tracker showed, whole, without markup but with its
line breaks. ``None`` means that the tracker did not say; an empty text means that it said nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct, field

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
else:
    Json = Any  # whoever reads the annotations of a record at run time cannot follow one that holds itself


class State(StrEnum):
    """Where an issue stands, whatever its tracker calls it."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    UNKNOWN = "unknown"


class CommentRecord(Struct, frozen=True, kw_only=True):
    """One comment, answer or action under an issue."""

    source_id: str | None = None  # the tracker's own id of the comment, unique within the issue
    number: int | None = None  # the number the tracker shows, usually from 1 on
    author: str | None = None
    content: str = ""
    commented_at: datetime | None = None
    is_private: bool = False  # seen by staff only


if TYPE_CHECKING:
    Comments: TypeAlias = "Sequence[CommentRecord]"
else:
    Comments = tuple[CommentRecord, ...]  # or Packed, which goes from process to process in another way


class ChangeRecord(Struct, frozen=True, kw_only=True):
    """One entry of the issue's history; identical entries of a tracker are all kept, in its order."""

    source_id: str | None = None  # the tracker's own id of the entry, where it has one
    changed_by: str | None = None
    changed_at: datetime | None = None
    change_type: str = "field"  # or created, comment, attachment, relation; text: could not be taken apart
    field_name: str | None = None  # the tracker's own name of the field
    old_value: str | None = None
    new_value: str | None = None
    description: str | None = None  # the entry's words as the tracker showed them


class AttachmentRecord(Struct, frozen=True, kw_only=True):
    """What is known of an attached file without its bytes."""

    source_id: str | None = None  # the tracker's own id of the file
    filename: str = ""  # as the tracker shows it: data, never a path
    file_type: str | None = None  # the tracker's word or a media type, such as "patch" or "image/png"
    file_size: int | None = None  # bytes; rounded where the tracker rounds
    download_url: str | None = None  # absolute, within the tracker's origin
    author: str | None = None
    attached_at: datetime | None = None
    description: str | None = None


class RelationRecord(Struct, frozen=True, kw_only=True):
    """A link from the issue to another one of the same tracker."""

    related_issue_id: str  # the tracker's number or key of the other issue
    relation_type: str = "related"  # the tracker's word: related, duplicate, blocks, parent, patch, …
    title: str | None = None


class IssueRecord(Struct, frozen=True, kw_only=True):
    """One issue as one account saw it at one moment."""

    issue_id: str  # the tracker's number or key
    url: str | None = None
    title: str = ""
    description: str | None = None
    product: str | None = None
    status: str | None = None  # the tracker's own word
    state: State = State.UNKNOWN
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
    # What has no field above, under the tracker's names. Under "display names", which is no part of the issue
    # itself: how the people are shown whose login names stand in it.
    extra: Mapping[str, Json] = field(default_factory=dict)
    comments: Comments = ()
    history: tuple[ChangeRecord, ...] = ()
    attachments: tuple[AttachmentRecord, ...] = ()
    relations: tuple[RelationRecord, ...] = ()
    comments_announced: int | None = None  # how many the raw page announces
    history_announced: int | None = None
    warnings: tuple[str, ...] = ()  # what was mended or doubtful, a sentence each, for the session's errors

"""Records of a tracker become rows of the database: the one place that knows both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crawler.kept_page import KeptPage
from crawler.packed import Packed
from crawler.records import CommentRecord, IssueRecord
from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, PackedPageRow, RelationRow


def to_row(
    record: IssueRecord,
    pages: Sequence[KeptPage],
    *,
    position: int,
    crawl_duration_ms: int,
    observed_at: datetime | None = None,
) -> IssueRow:
    """One issue with its children and raw pages, as the loader takes it.

    Args:
        record: what was read.
        pages: what it was read from; none where they are kept already.
        position: its place in the session's order.
        crawl_duration_ms: what it took to have it.
        observed_at: when it was seen; None: its pages tell.
    """
    return IssueRow(
        issue_id=record.issue_id,
        url=record.url,
        title=record.title,
        description=record.description,
        product=record.product,
        status=record.status,
        state=record.state.value,
        priority=record.priority,
        severity=record.severity,
        issue_type=record.issue_type,
        reporter=record.reporter,
        owner=record.owner,
        manager=record.manager,
        registered_date=record.registered_date,
        modified_date=record.modified_date,
        closed_date=record.closed_date,
        project_code=record.project_code,
        project_name=record.project_name,
        site=record.site,
        customer=record.customer,
        module=record.module,
        found_version=record.found_version,
        fixed_version=record.fixed_version,
        target_version=record.target_version,
        full_data=dict(record.extra),
        comments=_comments(record),
        history=tuple(
            ChangeRow(
                source_id=change.source_id,
                changed_by=change.changed_by,
                changed_at=change.changed_at,
                change_type=change.change_type,
                field_name=change.field_name,
                old_value=change.old_value,
                new_value=change.new_value,
                description=change.description,
            )
            for change in record.history
        ),
        attachments=tuple(
            AttachmentRow(
                source_id=attachment.source_id,
                filename=attachment.filename,
                file_type=attachment.file_type,
                file_size=attachment.file_size,
                download_url=attachment.download_url,
                author=attachment.author,
                attached_at=attachment.attached_at,
                description=attachment.description,
            )
            for attachment in record.attachments
        ),
        relations=tuple(
            RelationRow(
                related_issue_id=relation.related_issue_id,
                relation_type=relation.relation_type,
                title=relation.title,
            )
            for relation in record.relations
        ),
        pages=to_page_rows(pages),
        observed_at=observed_at,
        position=position,
        crawl_duration_ms=crawl_duration_ms,
        had_errors=bool(record.warnings),
        error_message=" ".join(record.warnings) or None,
    )


def _comments(record: IssueRecord) -> Sequence[CommentRow]:
    comments = record.comments
    return comments.each(_comment) if isinstance(comments, Packed) else tuple(map(_comment, comments))


def _comment(comment: CommentRecord) -> CommentRow:
    return CommentRow(
        source_id=comment.source_id,
        number=comment.number,
        author=comment.author,
        content=comment.content,
        commented_at=comment.commented_at,
        is_private=comment.is_private,
    )


def to_page_rows(pages: Sequence[KeptPage]) -> tuple[PackedPageRow, ...]:
    """The pages of one fetch, as the loader takes them.

    All bear the time of the last of them: so they can be told from the pages of another fetch, when an issue
    is read again from what is kept.
    """
    fetched_at = max((page.fetched_at for page in pages if page.fetched_at is not None), default=None)
    return tuple(
        PackedPageRow(
            part=page.part,
            url=page.url,
            content_type=page.content_type,
            status=page.status,
            body=page.body,
            size=page.size,
            sha256=page.sha256,
            fetched_at=fetched_at,
        )
        for page in pages
    )


def to_page(row: PackedPageRow) -> KeptPage:
    """A kept page, as a parser takes it."""
    return KeptPage(
        url=row.url,
        body=row.body,
        size=row.size,
        sha256=row.sha256,
        content_type=row.content_type,
        part=row.part,
        status=row.status,
        fetched_at=row.fetched_at,
    )

"""Two users with issues of everything, one of them hostile, and the page of the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from db import (
    Attachment,
    CrawlSession,
    Issue,
    IssueComment,
    IssueHistory,
    get_session,
)
from db.models import FileText, FileTextPart, IssueRelation, SavedSearch, Tracker
from pipeline.attachments.paths import path_of
from tests.fixtures.database import Server
from tests.fixtures.schema import ALICE, BOB, Database, fresh_database
from tests.fixtures.served import Served, serving

HOSTILE = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
LINKS = "see https://example.com/a?b=1&c=2. javascript:alert(1)"
FILE = b"first line\nthe wanted line says gadget\nlast line\n"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is stored."""

    database: Database
    home: Path
    sessions: dict[int, str]  # by user
    files: dict[int, int]


@pytest.fixture(scope="module")
def story(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Alice's and Bob's issues; each has a number 1 of their own."""
    home = tmp_path_factory.mktemp("served")
    with fresh_database(server, template) as database:
        sessions, files = {}, {}
        for user_id, name in ((ALICE, "alice"), (BOB, "bob")):
            content = FILE + name.encode()
            digest = sha256(content).hexdigest()
            (home / path_of(digest)).parent.mkdir(parents=True, exist_ok=True)
            (home / path_of(digest)).write_bytes(content)
            sessions[user_id], files[user_id] = _store(database, user_id, name, digest, len(content))
        yield Story(database=database, home=home, sessions=sessions, files=files)


@pytest.fixture(scope="module")
def served(story: Story) -> Iterator[Served]:
    """Alice's page."""
    with serving(story.home, story.database.app_url) as page:
        yield page


def _store(database: Database, user_id: int, name: str, digest: str, size: int) -> tuple[str, int]:
    with get_session(user_id=user_id, url=database.app_url) as session:
        tracker = Tracker(name="desk", kind="trac", base_url="http://localhost")
        session.add(tracker)
        session.flush()
        crawled = CrawlSession(tracker_id=tracker.tracker_id, original_query=f"+secret-of-{name} {HOSTILE}")
        common = {"tracker_id": tracker.tracker_id, "product": f"Widget-of-{name}"}
        one = Issue(
            issue_id="1",
            title=f"gadget secret-of-{name} {HOSTILE}",
            description=f"gadget secret-of-{name} {HOSTILE} {LINKS}",
            url="javascript:alert(document.domain)",
            status="Closed",
            state="done",
            owner="kim",
            registered_date=_day(1),
            closed_date=_day(20),
            full_data={f"Own {HOSTILE}": [HOSTILE, {"a": 1}]},
            **common,
        )
        only = Issue(issue_id=f"only-{name}", title=f"only of {name}", url="https://example.com/x", **common)
        session.add_all([crawled, one, only, SavedSearch(name=f"mine of {name}", query="+gadget")])
        session.flush()
        this = {"issue_pk": one.issue_pk}
        file = Attachment(
            filename=f"../{HOSTILE}-{name}.html",
            file_type="text/html",
            file_size=size,
            sha256=digest,
            file_path=str(path_of(digest)),
            downloaded=True,
            text_extracted=True,
            attached_at=_day(3),
            **this,
        )
        session.add_all(
            [
                file,
                FileText(sha256=digest, kind="text", reader=1, members=1, characters=50),
                FileTextPart(
                    sha256=digest,
                    position=0,
                    member="",
                    first_line=1,
                    content=f"first line\nthe wanted line says gadget {HOSTILE}\nsecret-of-{name}",
                ),
                IssueComment(
                    comment_number=1,
                    author=HOSTILE,
                    content=f"comment secret-of-{name} {HOSTILE}",
                    commented_at=_day(5),
                    **this,
                ),
                IssueHistory(
                    changed_by="lee",
                    changed_at=_day(10),
                    field_name="Status",
                    old_value="New",
                    new_value=f"Closed {HOSTILE}",
                    **this,
                ),
                IssueHistory(
                    changed_by="lee",
                    changed_at=_day(10),
                    field_name="Owner",
                    old_value="park",
                    new_value="kim",
                    position=1,
                    **this,
                ),
                IssueRelation(related_issue_id=f"only-{name}", relation_type="blocks", title=HOSTILE, **this),
            ]
        )
        session.flush()
        return str(crawled.session_uuid), file.attachment_id


def _day(number: int) -> datetime:
    return datetime(2026, 3, number, 9, tzinfo=UTC)

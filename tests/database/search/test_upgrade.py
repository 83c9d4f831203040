"""What is stored is found after an upgrade, whatever it was stored by."""

from __future__ import annotations

from sqlalchemy import text

from db import Issue, IssueComment
from db.setup.bootstrap import upgrade
from tests.fixtures.schema import ALICE, Database


def _vectors(database: Database) -> list[tuple[str, str]]:
    with database.superuser() as connection:
        return connection.execute(
            "SELECT search_vector::text, last_crawled_at::text FROM ims.issues ORDER BY issue_pk"
        ).fetchall()


def test_vectors_are_made_anew_where_their_functions_changed_and_only_then(database: Database) -> None:
    with database.session(ALICE) as session:
        issue = Issue(issue_id="1", title="접속 오류", description="zebra")
        issue.comments.append(IssueComment(content="giraffe"))
        session.add(issue)
    right = _vectors(database)
    with database.superuser() as connection:
        connection.execute("ALTER TABLE ims.issues DISABLE TRIGGER USER")
        connection.execute("UPDATE ims.issues SET search_vector = NULL")
        connection.execute("ALTER TABLE ims.issues ENABLE TRIGGER USER")
        connection.execute("DELETE FROM ims_private.applied_sql")
    upgrade(database.superuser_url)
    assert _vectors(database)[0][0] is None
    with database.superuser() as connection:
        connection.execute("COMMENT ON FUNCTION ims.document_vector IS 'made by an older one'")
        connection.execute("DELETE FROM ims_private.applied_sql")
    upgrade(database.superuser_url)
    assert _vectors(database) == right
    with database.session(ALICE) as session:
        query = text("SELECT issue_id FROM ims.search_issues('+오류 +giraffe')")
        assert list(session.scalars(query)) == ["1"]

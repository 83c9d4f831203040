"""Summaries of issues by day and week, and what figures over issues go by."""

from alembic import op

from db.migrations import run_beside

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and indexes."""
    run_beside(__file__)


def downgrade() -> None:
    """Take them away; summaries can be worked out again."""
    op.execute("DROP TABLE ims.issue_summaries, ims.summary_refreshes")
    op.execute("DROP INDEX ims.issue_history_user_id_changed_at_idx")

"""Summaries of issues by day and week, and what figures over issues go by."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and indexes."""
    cursor = op.get_bind().connection.cursor()  # the driver's, which takes many statements at once
    cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    """Take them away; summaries can be worked out again."""
    op.execute("DROP TABLE ims.issue_summaries, ims.summary_refreshes")
    op.execute("DROP INDEX ims.issue_history_user_id_changed_at_idx")

"""Sessions and workers tell that nothing moves, and what they wait for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    for column in (sa.Column("moved_at", sa.DateTime(timezone=True)), sa.Column("waits_for", sa.Text)):
        op.add_column("crawl_sessions", column, schema="ims", if_not_exists=True)
    op.add_column("workers", sa.Column("waits_for", sa.Text), schema="ims_jobs", if_not_exists=True)


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

"""References tell when the tracker last changed them, where its list does."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "session_frontier",
        sa.Column("modified_at", sa.DateTime(timezone=True)),
        schema="ims",
        if_not_exists=True,
    )


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

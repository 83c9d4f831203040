"""Attachments tell the announced size beside the one they have, and why they are left out."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    for column in (sa.Column("announced_size", sa.BigInteger), sa.Column("download_skipped", sa.Text)):
        op.add_column("attachments", column, schema="ims", if_not_exists=True)


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

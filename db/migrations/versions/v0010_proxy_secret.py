"""The password of the proxy that a tracker is asked through."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; either password may be there alone."""
    op.add_column(
        "tracker_secrets", sa.Column("proxy_secret", sa.LargeBinary), schema="ims", if_not_exists=True
    )
    op.alter_column("tracker_secrets", "secret", nullable=True, schema="ims")


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

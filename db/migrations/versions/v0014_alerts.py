"""Alerts: who is told of a favorite's new hits, and of which they were told."""

from db.migrations import run_beside

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    run_beside(__file__)


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

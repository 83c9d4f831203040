"""A team's own status words, and what the tracker told where such a word speaks instead."""

from db.migrations import run_beside

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column; no issue is written."""
    run_beside(__file__)


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

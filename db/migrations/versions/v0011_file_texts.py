"""The texts of attached files, once for each user and content, with vectors of their own."""

from db.migrations import run_beside

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and make room for the functions whose arguments change."""
    run_beside(__file__)


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

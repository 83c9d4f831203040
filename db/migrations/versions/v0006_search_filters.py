"""Filters of the search are told to the database."""

from db.migrations import run_beside

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their type, and make room for the function that takes them."""
    run_beside(__file__)


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

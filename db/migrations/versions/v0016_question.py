"""Functions of the search that take or give something else now; sql/search makes them anew after this."""

from db.migrations import run_beside

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the old ones."""
    run_beside(__file__)


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

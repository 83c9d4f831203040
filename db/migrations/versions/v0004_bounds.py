"""Keys that nobody uses up, and rows within the bounds that hold from here on."""

from db.migrations import run_beside

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the keys and counts, and bring odd rows into range."""
    run_beside(__file__)


def downgrade() -> None:
    """What was mended cannot be made odd again."""
    raise NotImplementedError("go back to a backup instead")

"""Keys that nobody uses up, and rows within the bounds that hold from here on."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the keys and counts, and bring odd rows into range."""
    cursor = op.get_bind().connection.cursor()  # the driver's, which takes many statements at once
    cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    """What was mended cannot be made odd again."""
    raise NotImplementedError("go back to a backup instead")

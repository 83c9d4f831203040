"""The tables of the first version."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    cursor = op.get_bind().connection.cursor()  # the driver's, which takes many statements at once
    cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    """There is nothing before the first version."""
    raise NotImplementedError("drop the schemas ims and ims_private instead")

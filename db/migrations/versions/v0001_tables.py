"""The tables of the first version."""

from db.migrations import run_beside

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    run_beside(__file__)


def downgrade() -> None:
    """There is nothing before the first version."""
    raise NotImplementedError("drop the schemas ims and ims_private instead")

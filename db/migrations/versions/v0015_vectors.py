"""Search vectors are stored without trying to compress them: none has ever become smaller."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say so of both tables that have one."""
    for table in ("issues", "file_text_parts"):
        op.execute(f"ALTER TABLE ims.{table} ALTER COLUMN search_vector SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Nothing is kept of the way back."""
    raise NotImplementedError("go back to a backup instead")

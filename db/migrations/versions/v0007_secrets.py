"""Secrets that earlier versions kept where others could read them are taken out."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take them out of rows and of the audit log, and let no address with a key in."""
    cursor = op.get_bind().connection.cursor()  # the driver's, which takes many statements at once
    cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    """Let addresses be as they were; what was taken out does not come back."""
    op.execute("ALTER TABLE ims.trackers DROP CONSTRAINT trackers_base_url_query_check")

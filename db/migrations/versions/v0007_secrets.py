"""Secrets that earlier versions kept where others could read them are taken out."""

from alembic import op

from db.migrations import run_beside

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take them out of rows and of the audit log, and let no address with a key in."""
    run_beside(__file__)


def downgrade() -> None:
    """Let addresses be as they were; what was taken out does not come back."""
    op.execute("ALTER TABLE ims.trackers DROP CONSTRAINT trackers_base_url_query_check")

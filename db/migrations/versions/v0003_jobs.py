"""Scheduled runs, sessions in chunks, limits of hosts, and the queue."""

from importlib.metadata import distribution
from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and procrastinate's own in the schema ``ims_jobs``."""
    cursor = op.get_bind().connection.cursor()  # the driver's, which takes many statements at once
    cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))
    # A later version of the queue changes its tables by a migration here, which comes with a new pin.
    cursor.execute("SET LOCAL search_path = ims_jobs")
    # Read without importing the package, which a crawl does not need.
    schema = Path(str(distribution("procrastinate").locate_file("procrastinate/sql/schema.sql")))
    cursor.execute(schema.read_text("utf-8"))
    cursor.execute("SET LOCAL search_path = pg_catalog")


def downgrade() -> None:
    """What was run cannot be taken back."""
    raise NotImplementedError("drop the schemas ims, ims_private and ims_jobs instead")

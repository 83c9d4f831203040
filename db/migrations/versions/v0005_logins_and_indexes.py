"""Personal logins are known by their name and their server too; indexes lead with the owner."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, filled for the logins of this server, and make the indexes anew."""
    cursor = op.get_bind().connection.cursor()  # the driver's, which takes many statements at once
    cursor.execute("RESET ROLE")  # the owner of the tables sees no user, and whose a login is, users tell
    cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))
    cursor.execute("SET LOCAL ROLE ims_owner")


def downgrade() -> None:
    """Which keys led with what is not worth taking back."""
    raise NotImplementedError("go back by a dump that was made before")

"""What Alembic runs to bring a database up, on the connection and in the transaction that it is given."""

from alembic import context

from db.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table_schema="ims_private",
    include_schemas=True,
    transactional_ddl=True,
)
context.run_migrations()

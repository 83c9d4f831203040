-- Our own tables: for the functions that run as their owner, and nobody else.
SELECT ims_private.close_table('ims_private.identities');
SELECT ims_private.close_table('ims_private.applied_sql');
SELECT ims_private.close_table('ims_private.alembic_version');
SELECT ims_private.close_table('ims_private.refresh_locks');

CREATE POLICY for_functions ON ims_private.identities TO ims_owner USING (true) WITH CHECK (true);
CREATE POLICY for_functions ON ims_private.applied_sql TO ims_owner USING (true) WITH CHECK (true);
CREATE POLICY for_functions ON ims_private.refresh_locks TO ims_owner USING (true) WITH CHECK (true);
CREATE POLICY for_functions ON ims_private.alembic_version TO ims_owner USING (true) WITH CHECK (true);

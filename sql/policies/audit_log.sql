-- Read, never written: its entries come from triggers that run as the owner of the table.
SELECT ims_private.protect_table('ims.audit_log');

REVOKE INSERT, UPDATE, DELETE ON ims.audit_log FROM ims_user, ims_acting_user, ims_app, ims_admin;
CREATE POLICY written_by_triggers ON ims.audit_log FOR INSERT TO ims_owner WITH CHECK (true);

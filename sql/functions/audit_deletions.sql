-- Write the deletion of many rows into the audit log. The transition table is called gone.
--
-- Arguments: the column that names the row, then the columns to keep.
CREATE OR REPLACE FUNCTION ims_private.audit_deletions() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO ims.audit_log (user_id, action, resource_type, resource_id, old_value, ip_address, user_agent)
    SELECT coalesce(ims.current_user_id(), (fields ->> 'user_id')::integer), 'delete', TG_TABLE_NAME,
           fields ->> TG_ARGV[0], ims_private.audited(fields, 'only', TG_ARGV), inet_client_addr(),
           current_setting('application_name')
    FROM (SELECT to_jsonb(gone) AS fields FROM gone) AS rows;
    RETURN NULL;
END
$$;

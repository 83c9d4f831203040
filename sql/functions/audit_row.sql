-- Write a row's change into the audit log: who, what, when, and on updates the fields that changed.
--
-- Arguments: the column that names the row; what to do with the others: 'all' columns, 'none', or 'only' or 'but'
-- those that follow. An update that changes none of them is not written down.
CREATE OR REPLACE FUNCTION ims_private.audit_row() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    named CONSTANT jsonb := coalesce(after, before);
BEGIN
    before := ims_private.audited(before, TG_ARGV[1], TG_ARGV[2:]);
    after := ims_private.audited(after, TG_ARGV[1], TG_ARGV[2:]);
    IF TG_OP = 'UPDATE' AND TG_ARGV[1] <> 'none' THEN
        SELECT jsonb_object_agg(old_field.key, old_field.value), jsonb_object_agg(new_field.key, new_field.value)
        INTO before, after
        FROM jsonb_each(before) old_field JOIN jsonb_each(after) new_field USING (key)
        WHERE old_field.value <> new_field.value;
        IF before IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO ims.audit_log (user_id, action, resource_type, resource_id, old_value, new_value, ip_address, user_agent)
    VALUES (coalesce(ims.current_user_id(), (named ->> 'user_id')::integer), lower(TG_OP), TG_TABLE_NAME,
            named ->> TG_ARGV[0], ims_private.without_secrets(before), ims_private.without_secrets(after), inet_client_addr(), current_setting('application_name'));
    RETURN NULL;
END
$$;

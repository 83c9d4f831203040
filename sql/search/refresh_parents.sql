-- Comments or attachments changed, of however many issues: those issues' vectors follow. The transition table is called
-- changed. Touching the title is enough, the issue's own trigger does the rest.
CREATE OR REPLACE FUNCTION ims_private.refresh_parents() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('ims.bulk', true) IS DISTINCT FROM 'on' THEN
        UPDATE ims.issues SET title = title WHERE issue_pk IN (SELECT issue_pk FROM changed);
    END IF;
    RETURN NULL;
END
$$;

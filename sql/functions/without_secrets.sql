-- The fields of a row without the secret that its options may hold: that there is one may be known, not what it is.
CREATE OR REPLACE FUNCTION ims_private.without_secrets(fields jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
    WHEN jsonb_typeof(fields #> '{options,webhook}') <> 'null' THEN jsonb_set(fields, '{options,webhook}', '"set"')
    ELSE fields
END
$$;

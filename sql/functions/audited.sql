-- The fields of a row that go into the audit log.
CREATE OR REPLACE FUNCTION ims_private.audited(fields jsonb, choice text, columns text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE choice
    WHEN 'all' THEN fields
    WHEN 'but' THEN fields - columns
    WHEN 'only' THEN (SELECT jsonb_object_agg(key, value) FROM jsonb_each(fields) WHERE key = ANY (columns))
END
$$;

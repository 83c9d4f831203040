-- What was worked out beforehand is worked out anew, when a word's meaning changed; nothing for whom nothing was.
CREATE OR REPLACE FUNCTION ims_private.recount() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM ims.summary_refreshes) THEN
        PERFORM ims.refresh_materialized_views();
    END IF;
    RETURN NULL;
END
$$;

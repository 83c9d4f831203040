-- Whose visit (ims.open_visit) a login is; NULL: it is none, or one to another database.
CREATE OR REPLACE FUNCTION ims_private.visitor(login text) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (regexp_match(login, '^' || ims_private.visits_of(NULL) || '([0-9]{1,10})_[0-9a-f]{24}$'))[1]::integer;
END
$$;

-- What the names of a user's visits (ims.open_visit) begin with; NULL: of everybody's visits to this database.
CREATE OR REPLACE FUNCTION ims_private.visits_of(visitor integer) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN 'ims_visit_' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '_'
           || coalesce(visitor || '_', '');
END
$$;

GRANT EXECUTE ON FUNCTION ims_private.visits_of(integer) TO ims_login_maker;

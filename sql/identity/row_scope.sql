-- Whose rows this transaction sees: "everybody" or "own", for the policies. A comparison can be proved, a bare truth not.
CREATE OR REPLACE FUNCTION ims.row_scope() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN ims.sees_everybody() THEN 'everybody' ELSE 'own' END $$;

GRANT EXECUTE ON FUNCTION ims.row_scope() TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

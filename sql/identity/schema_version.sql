-- Which migration and which texts of sql/ this database has, as one word: revision:digest.
CREATE OR REPLACE FUNCTION ims.schema_version() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT version_num FROM ims_private.alembic_version)
        || ':' || (SELECT digest FROM ims_private.applied_sql);
END
$$;

GRANT EXECUTE ON FUNCTION ims.schema_version() TO ims_app, ims_user, ims_readonly, ims_admin;

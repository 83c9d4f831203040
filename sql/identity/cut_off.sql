-- runs as: administrator
-- End the connections of a login.
CREATE OR REPLACE FUNCTION ims_private.cut_off(login text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_get_activity(NULL)
    WHERE usesysid = (SELECT oid FROM pg_roles WHERE rolname = login) AND pid <> pg_backend_pid();
END
$$;

ALTER FUNCTION ims_private.cut_off(text) OWNER TO ims_disconnector;
REVOKE ALL ON FUNCTION ims_private.cut_off(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.cut_off(text) TO ims_login_maker;

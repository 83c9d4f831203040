-- Is the role of this name the very one that was enrolled for the user? By its number, its name, and the server that
-- made it: other servers give the same numbers, and the same names, to other people.
CREATE OR REPLACE FUNCTION ims_private.is_enrolled(wanted integer, login text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM ims_private.identities known
        JOIN pg_roles role ON role.oid = known.login_oid AND role.rolname = known.login_name
        JOIN pg_control_system() server ON server.system_identifier = known.login_cluster
        WHERE known.user_id = wanted AND known.login_name = login);
END
$$;

GRANT EXECUTE ON FUNCTION ims_private.is_enrolled(integer, text) TO ims_login_maker;

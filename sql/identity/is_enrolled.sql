-- Is the role of this name the very one that was enrolled for the user?
CREATE OR REPLACE FUNCTION ims_private.is_enrolled(wanted integer, login text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM ims_private.identities known JOIN pg_roles role ON role.oid = known.login_oid
                   WHERE known.user_id = wanted AND role.rolname = login);
END
$$;

GRANT EXECUTE ON FUNCTION ims_private.is_enrolled(integer, text) TO ims_login_maker;

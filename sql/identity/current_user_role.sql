-- The role of the user for whom this session acts: admin, user, readonly, or NULL.
CREATE OR REPLACE FUNCTION ims.current_user_role() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT known.role FROM ims_private.identities known WHERE known.user_id = ims.current_user_id());
END
$$;

GRANT EXECUTE ON FUNCTION ims.current_user_role()
    TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher, ims_login_maker;

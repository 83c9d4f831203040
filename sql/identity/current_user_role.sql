-- The role of the user for whom this session acts: admin, user, readonly, or NULL. A visit is a user's, whoever visits.
CREATE OR REPLACE FUNCTION ims.current_user_role() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT CASE WHEN starts_with(session_user, 'ims_visit_') THEN 'user' ELSE known.role END
            FROM ims_private.identities known WHERE known.user_id = ims.current_user_id());
END
$$;

GRANT EXECUTE ON FUNCTION ims.current_user_role()
    TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher, ims_login_maker;

-- The id of an active user by name, for logins that may act for others anyway; NULL for everybody else.
CREATE OR REPLACE FUNCTION ims.find_user(wanted text) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT pg_has_role(session_user, 'ims_delegate', 'MEMBER') THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT known.user_id FROM ims_private.identities known
            WHERE known.username = wanted AND known.is_active);
END
$$;

GRANT EXECUTE ON FUNCTION ims.find_user(text) TO ims_app, ims_user, ims_readonly, ims_admin;

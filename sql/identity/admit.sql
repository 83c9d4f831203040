-- May this login act as the user? Gives the group to switch to, NULL where there is nothing to switch.
-- Unknown, disabled and somebody else's are refused in the same words.
CREATE OR REPLACE FUNCTION ims.admit(wanted integer) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_role text;
BEGIN
    IF pg_has_role(session_user, 'ims_delegate', 'MEMBER') THEN
        SELECT known.role INTO found_role
        FROM ims_private.identities known
        WHERE known.user_id = wanted AND known.is_active;
        IF found_role IS NOT NULL THEN
            RETURN CASE found_role WHEN 'user' THEN 'ims_acting_user' ELSE 'ims_' || found_role END;
        END IF;
    ELSIF wanted = ims.current_user_id() THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'You cannot act as this user.' USING ERRCODE = 'insufficient_privilege';
END
$$;

GRANT EXECUTE ON FUNCTION ims.admit(integer) TO ims_app, ims_user, ims_readonly, ims_admin;

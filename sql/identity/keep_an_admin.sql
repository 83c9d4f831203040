-- Refuse a change of ims.users after which nobody could manage users any more. As the owner: the map is private.
CREATE OR REPLACE FUNCTION ims_private.keep_an_admin() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Locked: of two admins that disable each other at the same time, the second one waits and is refused.
    PERFORM FROM ims_private.identities known WHERE known.role = 'admin' AND known.is_active FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'This is the last active admin.' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NULL;
END
$$;

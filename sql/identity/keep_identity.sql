-- The private map follows the table users: what identity needs to know, without asking a table that asks it back.
CREATE OR REPLACE FUNCTION ims_private.keep_identity() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND OLD.user_id <> NEW.user_id) THEN
        DELETE FROM ims_private.identities WHERE user_id = OLD.user_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO ims_private.identities AS known (user_id, username, role, is_active)
        VALUES (NEW.user_id, NEW.username, NEW.role, NEW.is_active)
        ON CONFLICT (user_id) DO UPDATE
        SET username = excluded.username, role = excluded.role, is_active = excluded.is_active;
    END IF;
    RETURN NULL;
END
$$;

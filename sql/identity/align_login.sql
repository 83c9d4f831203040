-- runs as: administrator
-- A user's role or activity changed: their personal login follows. A disabled one is cut off where it is connected, and so
-- are their visits.
CREATE OR REPLACE FUNCTION ims_private.align_login() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    visit text;
BEGIN
    IF NOT NEW.is_active THEN
        FOR visit IN SELECT rolname FROM pg_roles WHERE starts_with(rolname, ims_private.visits_of(NEW.user_id)) LOOP
            PERFORM ims_private.cut_off(visit);
        END LOOP;
    END IF;
    -- The name alone proves nothing: the role of that name may be another one by now.
    IF NOT ims_private.is_enrolled(NEW.user_id, NEW.db_login) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('ALTER ROLE %I %s', NEW.db_login, CASE WHEN NEW.is_active THEN 'LOGIN' ELSE 'NOLOGIN' END);
    IF NEW.role <> OLD.role THEN
        EXECUTE format('REVOKE %I FROM %I', 'ims_' || OLD.role, NEW.db_login);
        EXECUTE format('GRANT %I TO %I', 'ims_' || NEW.role, NEW.db_login);
    END IF;
    IF NOT NEW.is_active THEN
        PERFORM ims_private.cut_off(NEW.db_login);
    END IF;
    RETURN NULL;
END
$$;

ALTER FUNCTION ims_private.align_login() OWNER TO ims_login_maker;
REVOKE ALL ON FUNCTION ims_private.align_login() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.align_login() TO ims_owner;

-- runs as: administrator
-- Make a personal database login for a user; an admin asks for it. It *is* its user: no setting makes it another.
--
-- The password comes as a SCRAM verifier, so that its text reaches neither the server's log nor pg_stat_activity.
CREATE OR REPLACE FUNCTION ims.create_login(wanted integer, login text, verifier text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    group_role CONSTANT text := (SELECT 'ims_' || u.role FROM ims.users u WHERE u.user_id = wanted);
BEGIN
    PERFORM ims.check_login(wanted, login);
    IF verifier !~ '^SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE EXCEPTION 'The password must come as a SCRAM verifier.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT '
                   'CONNECTION LIMIT 20 PASSWORD %L', login, verifier);
    EXECUTE format('GRANT %I TO %I', group_role, login);
    PERFORM ims_private.enrol(wanted, (SELECT oid FROM pg_roles WHERE rolname = login));
    -- Somebody whose login of this name stayed on another server.
    UPDATE ims.users SET db_login = NULL WHERE db_login = login AND user_id <> wanted;
    UPDATE ims.users SET db_login = login WHERE user_id = wanted;
END
$$;

ALTER FUNCTION ims.create_login(integer, text, text) OWNER TO ims_login_maker;
REVOKE ALL ON FUNCTION ims.create_login(integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.create_login(integer, text, text) TO ims_admin;

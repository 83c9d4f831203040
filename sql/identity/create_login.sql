-- runs as: administrator
-- Make a personal database login for a user; an admin asks for it. It *is* its user: no setting makes it another.
--
-- The password comes as a SCRAM verifier, so that its text reaches neither the server's log nor pg_stat_activity.
CREATE OR REPLACE FUNCTION ims.create_login(wanted integer, login text, verifier text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known record;
BEGIN
    IF ims.current_user_role() IS DISTINCT FROM 'admin' THEN
        RAISE EXCEPTION 'Only an admin makes logins.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT u.role, u.is_active, u.db_login INTO known FROM ims.users u WHERE u.user_id = wanted;
    IF known.role IS NULL OR NOT known.is_active THEN
        RAISE EXCEPTION 'There is no such active user.' USING ERRCODE = 'no_data_found';
    -- A login that was dropped since, or stayed on another server, is none.
    ELSIF ims_private.is_enrolled(wanted, known.db_login) THEN
        RAISE EXCEPTION 'This user has a database login already.' USING ERRCODE = 'duplicate_object';
    ELSIF verifier !~ '^SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE EXCEPTION 'The password must come as a SCRAM verifier.' USING ERRCODE = 'invalid_parameter_value';
    ELSIF login IS NULL OR login = '' OR octet_length(login) > 63 OR login ~ '[[:cntrl:]]'
          OR lower(login) ~ '^(pg_|ims_)' OR lower(login) IN ('public', 'none', 'postgres') THEN
        RAISE EXCEPTION 'A database login cannot have this name.' USING ERRCODE = 'invalid_name';
    ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        RAISE EXCEPTION 'A database login of this name exists already.' USING ERRCODE = 'duplicate_object';
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT '
                   'CONNECTION LIMIT 20 PASSWORD %L', login, verifier);
    EXECUTE format('GRANT %I TO %I', 'ims_' || known.role, login);
    PERFORM ims_private.enrol(wanted, (SELECT oid FROM pg_roles WHERE rolname = login));
    -- Somebody whose login of this name stayed on another server.
    UPDATE ims.users SET db_login = NULL WHERE db_login = login AND user_id <> wanted;
    UPDATE ims.users SET db_login = login WHERE user_id = wanted;
END
$$;

ALTER FUNCTION ims.create_login(integer, text, text) OWNER TO ims_login_maker;
REVOKE ALL ON FUNCTION ims.create_login(integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.create_login(integer, text, text) TO ims_admin;

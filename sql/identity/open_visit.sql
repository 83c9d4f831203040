-- runs as: administrator
-- A login of minutes for whom the program acts for, so that a statement which is not the program's own runs in a session
-- that can be nobody else: no ims.identity, no SET ROLE, no function reaches further than its user's own rows. Gives its name.
--
-- The name tells whose it is (ims_visit_DATABASE_USER_ and chance), and nobody can choose one: ims.check_login refuses
-- it. It is in ims_user whatever its user's role, and lets nobody in after a minute: a session that is open stays.
CREATE OR REPLACE FUNCTION ims.open_visit(verifier text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    visitor CONSTANT integer := ims.current_user_id();
    login CONSTANT text := format('%s%s', ims_private.visits_of(visitor), left(replace(gen_random_uuid()::text, '-', ''), 24));
    past text;
BEGIN
    IF visitor IS NULL OR NOT pg_has_role(session_user, 'ims_delegate', 'MEMBER') THEN
        RAISE EXCEPTION 'Only the program opens a visit, for whom it acts for.' USING ERRCODE = 'insufficient_privilege';
    ELSIF verifier !~ '^SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE EXCEPTION 'The password must come as a SCRAM verifier.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR past IN SELECT rolname FROM pg_roles
                WHERE starts_with(rolname, ims_private.visits_of(NULL)) AND rolvaliduntil < now()
                  AND oid NOT IN (SELECT usesysid FROM pg_stat_get_activity(NULL) WHERE usesysid IS NOT NULL) LOOP
        BEGIN
            EXECUTE format('DROP ROLE %I', past);
        EXCEPTION WHEN OTHERS THEN  -- somebody else drops it at this moment
            NULL;
        END;
    END LOOP;
    EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT '
                   'CONNECTION LIMIT 2 PASSWORD %L VALID UNTIL %L', login, verifier, now() + interval '1 minute');
    EXECUTE format('GRANT ims_user TO %I', login);
    RETURN login;
END
$$;

ALTER FUNCTION ims.open_visit(text) OWNER TO ims_login_maker;
REVOKE ALL ON FUNCTION ims.open_visit(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.open_visit(text) TO ims_user, ims_readonly, ims_admin;

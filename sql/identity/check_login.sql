-- runs as: administrator
-- Refuse what create_login would refuse, before the password's verifier is sent: a failing statement may be logged.
-- As the maker of logins, who sees which of them there are.
CREATE OR REPLACE FUNCTION ims.check_login(wanted integer, login text) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known record;
BEGIN
    IF ims.current_user_role() IS DISTINCT FROM 'admin' THEN
        RAISE EXCEPTION 'Only an admin makes logins.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT u.is_active, u.db_login INTO known FROM ims.users u WHERE u.user_id = wanted;
    IF known.is_active IS NOT TRUE THEN
        RAISE EXCEPTION 'There is no such active user.' USING ERRCODE = 'no_data_found';
    -- A login that was dropped since, or stayed on another server, is none.
    ELSIF ims_private.is_enrolled(wanted, known.db_login) THEN
        RAISE EXCEPTION 'This user has a database login already.' USING ERRCODE = 'duplicate_object';
    ELSIF login IS NULL OR login = '' OR octet_length(login) > 63 OR login ~ '[[:cntrl:]]'
          OR lower(login) ~ '^(pg_|ims_)' OR lower(login) IN ('public', 'none', 'postgres') THEN
        RAISE EXCEPTION 'A database login cannot have this name.' USING ERRCODE = 'invalid_name';
    ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        RAISE EXCEPTION 'A database login of this name exists already.' USING ERRCODE = 'duplicate_object';
    END IF;
END
$$;

ALTER FUNCTION ims.check_login(integer, text) OWNER TO ims_login_maker;
REVOKE ALL ON FUNCTION ims.check_login(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.check_login(integer, text) TO ims_admin;

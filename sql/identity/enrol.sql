-- Keep which database login a user is: its number, its name and the server that made it. Whoever had this number or name
-- on another server has it no more. Only the maker of logins calls it, for a role that it has just made.
CREATE OR REPLACE FUNCTION ims_private.enrol(wanted integer, login oid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made CONSTANT text := (SELECT rolname FROM pg_roles WHERE oid = login);
BEGIN
    UPDATE ims_private.identities
    SET login_oid = NULL, login_name = NULL, login_cluster = NULL
    WHERE user_id <> wanted AND (login_oid = login OR login_name = made);

    UPDATE ims_private.identities
    SET login_oid = login, login_name = made,
        login_cluster = (SELECT system_identifier FROM pg_control_system())
    WHERE user_id = wanted;
END
$$;

GRANT EXECUTE ON FUNCTION ims_private.enrol(integer, oid) TO ims_login_maker;

-- Keep or forget which database login a user is. Only the maker of logins calls it.
CREATE OR REPLACE FUNCTION ims_private.enrol(wanted integer, login oid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE ims_private.identities SET login_oid = login WHERE user_id = wanted;
END
$$;

GRANT EXECUTE ON FUNCTION ims_private.enrol(integer, oid) TO ims_login_maker;

-- runs as: administrator
-- ims.delete_old_sessions for a personal login, which may not delete by itself. As the role that the program becomes for an
-- ordinary user: row security holds for it as for them, and it reaches the rows of whoever asks.
CREATE OR REPLACE FUNCTION ims.delete_own_sessions(keep_days integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ims.delete_old_sessions(ims.current_user_id(), keep_days);
END
$$;

ALTER FUNCTION ims.delete_own_sessions(integer) OWNER TO ims_acting_user;
REVOKE ALL ON FUNCTION ims.delete_own_sessions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.delete_own_sessions(integer) TO ims_user;

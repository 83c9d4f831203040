-- Delete a user's sessions that ended more than so many days ago, with what only they hold: their frontier, their errors,
-- their lists of issues. Issues, kept pages and questions stay. One's own; anybody's where an admin asks. A session that
-- runs stays, however old; so does what is not the caller's, without a word.
--
--   wanted     the user
--   keep_days  ended within so many days: kept; 0: none is
--   returns    how many were deleted
CREATE OR REPLACE FUNCTION ims.delete_old_sessions(wanted integer, keep_days integer) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deleted integer;
BEGIN
    IF keep_days IS NULL OR keep_days < 0 THEN
        RAISE EXCEPTION 'Say how many days are to be kept: 0 or more.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT has_table_privilege('ims.crawl_sessions', 'DELETE') THEN
        RETURN CASE WHEN wanted = ims.current_user_id() THEN ims.delete_own_sessions(keep_days) ELSE 0 END;
    END IF;
    DELETE FROM ims.crawl_sessions own
    WHERE own.user_id = wanted
      AND own.status <> 'running'
      AND coalesce(own.completed_at, own.heartbeat_at, own.started_at) < now() - make_interval(days => keep_days);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;

GRANT EXECUTE ON FUNCTION ims.delete_old_sessions(integer, integer) TO ims_app, ims_user, ims_admin;

-- runs as: administrator
-- Whose alerts are to be looked at, by ids and nothing else; in turns of users, as ims.due_schedules does it, and for the same
-- reasons.
CREATE OR REPLACE FUNCTION ims.due_alerts(most integer) RETURNS TABLE (user_id integer, saved_search_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
SELECT due.user_id, due.saved_search_id
FROM (
    SELECT alert.user_id, alert.saved_search_id, alert.next_at,
           row_number() OVER (PARTITION BY alert.user_id ORDER BY alert.next_at, alert.saved_search_id) AS place
    FROM ims.alerts alert JOIN ims.users owner ON owner.user_id = alert.user_id AND owner.is_active
    WHERE alert.next_at <= now()
) AS due
ORDER BY due.place, due.next_at, due.saved_search_id
LIMIT most
$$;

ALTER FUNCTION ims.due_alerts(integer) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.due_alerts(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.due_alerts(integer) TO ims_app;

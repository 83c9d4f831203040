-- runs as: administrator
-- Whose schedules are due, by ids and nothing else. For the application's login, which has no user when it looks: a
-- worker then acts for each owner in turn, and only there, under row security, is a schedule taken.
CREATE OR REPLACE FUNCTION ims.due_schedules(most integer) RETURNS TABLE (user_id integer, saved_search_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
SELECT schedule.user_id, schedule.saved_search_id
FROM ims.saved_searches schedule JOIN ims.users owner ON owner.user_id = schedule.user_id AND owner.is_active
WHERE schedule.cron IS NOT NULL AND schedule.is_active AND schedule.next_run_at <= now()
ORDER BY schedule.next_run_at, schedule.saved_search_id
LIMIT most
$$;

ALTER FUNCTION ims.due_schedules(integer) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.due_schedules(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.due_schedules(integer) TO ims_app;

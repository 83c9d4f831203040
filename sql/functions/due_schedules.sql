-- runs as: administrator
-- Whose schedules are due, by ids and nothing else: each user's longest due one first, then everybody's second, and so on,
-- so that a user who has many, or keeps theirs from being taken, keeps nobody else's waiting. For the application's login,
-- which has no user when it looks: a worker then acts for each owner in turn, and only there, under row security, is a
-- schedule taken.
CREATE OR REPLACE FUNCTION ims.due_schedules(most integer) RETURNS TABLE (user_id integer, saved_search_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
SELECT due.user_id, due.saved_search_id
FROM (
    SELECT schedule.user_id, schedule.saved_search_id, schedule.next_run_at,
           row_number() OVER (PARTITION BY schedule.user_id
                              ORDER BY schedule.next_run_at, schedule.saved_search_id) AS place
    FROM ims.saved_searches schedule JOIN ims.users owner ON owner.user_id = schedule.user_id AND owner.is_active
    WHERE schedule.cron IS NOT NULL AND schedule.is_active AND schedule.next_run_at <= now()
) AS due
ORDER BY due.place, due.next_run_at, due.saved_search_id
LIMIT most
$$;

ALTER FUNCTION ims.due_schedules(integer) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.due_schedules(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.due_schedules(integer) TO ims_app;

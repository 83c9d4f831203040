-- runs as: administrator
-- The runs that are said to work and have no job that would do it, by ids and nothing else; for the application's login,
-- as ims.due_schedules is, which reads the queue and says what has a job. A run gets its jobs in the transaction that
-- makes it, and its next ones in that which ends the last, so that one without is lost. A session that somebody resumed
-- in a shell shows it by signs of life.
CREATE OR REPLACE FUNCTION ims.lost_runs(most integer, silence interval, runs bigint[], sessions bigint[])
RETURNS TABLE (user_id integer, run_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
SELECT run.user_id, run.run_id
FROM ims.runs run JOIN ims.users owner ON owner.user_id = run.user_id AND owner.is_active
LEFT JOIN ims.crawl_sessions session ON session.session_id = run.session_id AND session.user_id = run.user_id
WHERE run.status IN ('waiting', 'running')
  AND NOT EXISTS (SELECT FROM unnest(lost_runs.runs) alive WHERE alive = run.run_id)
  AND NOT EXISTS (SELECT FROM unnest(lost_runs.sessions) alive WHERE alive = run.session_id)
  AND (session.session_id IS NULL OR session.status <> 'running'
       OR coalesce(session.heartbeat_at, session.started_at) < now() - silence)
-- Nobody's rows keep another's from being seen.
ORDER BY row_number() OVER (PARTITION BY run.user_id ORDER BY run.run_id), run.user_id
LIMIT most
$$;

ALTER FUNCTION ims.lost_runs(integer, interval, bigint[], bigint[]) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.lost_runs(integer, interval, bigint[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.lost_runs(integer, interval, bigint[], bigint[]) TO ims_app;

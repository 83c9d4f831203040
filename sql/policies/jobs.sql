-- Runs and chunks are their owner's; what hosts are asked is for the functions that say how much more; the queue is the
-- application's own, and nobody else's: its arguments are ids, and it has no row security.
SELECT ims_private.protect_table('ims.runs');
SELECT ims_private.protect_table('ims.session_chunks');
SELECT ims_private.protect_table('ims.alerts');
SELECT ims_private.protect_table('ims.alert_hits');

SELECT ims_private.close_table('ims_private.hosts');
SELECT ims_private.close_table('ims_private.host_leases');
CREATE POLICY for_leases ON ims_private.hosts TO ims_owner USING (true) WITH CHECK (true);
CREATE POLICY for_leases ON ims_private.host_leases TO ims_owner USING (true) WITH CHECK (true);

-- ims.due_schedules looks past row security, at what it takes to know that one is due.
GRANT SELECT (saved_search_id, user_id, cron, is_active, next_run_at) ON ims.saved_searches TO ims_searcher;
-- And ims.due_alerts, likewise.
GRANT SELECT (saved_search_id, user_id, next_at) ON ims.alerts TO ims_searcher;
-- And ims.lost_runs at what it takes to know that nobody works on one.
GRANT SELECT (run_id, user_id, session_id, status) ON ims.runs TO ims_searcher;
GRANT SELECT (session_id, user_id, status, heartbeat_at, started_at) ON ims.crawl_sessions TO ims_searcher;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ims_jobs TO ims_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ims_jobs TO ims_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ims_jobs TO ims_app;
GRANT USAGE ON TYPE ims_jobs.procrastinate_job_status, ims_jobs.procrastinate_job_event_type,
                    ims_jobs.procrastinate_job_to_defer_v1 TO ims_app;

-- A user a row: what they have, and how their sessions went. success_rate is of the sessions that ended, 0 to 1.
CREATE OR REPLACE VIEW ims.v_user_dashboard WITH (security_invoker = true, security_barrier = true) AS
SELECT person.user_id, person.username, person.role, session.total_sessions, session.successful_sessions,
       session.failed_sessions, session.running_sessions,
       session.successful_sessions::double precision
           / nullif(session.total_sessions - session.running_sessions, 0) AS success_rate,
       session.avg_session_duration_sec, session.last_session_date, issue.issues, issue.open_issues, issue.products,
       (SELECT count(*) FROM ims.trackers own WHERE own.user_id = person.user_id) AS trackers,
       (SELECT count(*) FROM ims.search_queries own WHERE own.user_id = person.user_id) AS questions,
       issue.unplaced_issues
FROM ims.users person
CROSS JOIN LATERAL (
    SELECT count(*) AS total_sessions, count(*) FILTER (WHERE own.status = 'completed') AS successful_sessions,
           count(*) FILTER (WHERE own.status = 'failed') AS failed_sessions,
           count(*) FILTER (WHERE own.status = 'running') AS running_sessions,
           avg(own.duration_seconds) AS avg_session_duration_sec, max(own.started_at) AS last_session_date
    FROM ims.crawl_sessions own
    WHERE own.user_id = person.user_id
) AS session
CROSS JOIN LATERAL (
    SELECT count(*) AS issues, count(*) FILTER (WHERE own.state <> 'done') AS open_issues,
           count(DISTINCT own.product) AS products,
           count(*) FILTER (WHERE own.state = 'unknown') AS unplaced_issues
    FROM ims.issues own
    WHERE own.user_id = person.user_id AND own.removed_at IS NULL
) AS issue;

GRANT SELECT ON ims.v_user_dashboard TO ims_app, ims_user, ims_readonly, ims_admin;

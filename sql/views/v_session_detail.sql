-- Sessions with their tracker, their user and what went wrong in them.
CREATE OR REPLACE VIEW ims.v_session_detail WITH (security_invoker = true, security_barrier = true) AS
SELECT own.session_uuid, own.user_id, person.username, tracker.name AS tracker, tracker.kind AS tracker_kind, own.product,
       own.original_query, own.parsed_query, own.query_language, own.status, own.started_at, own.completed_at,
       own.duration_seconds, own.total_issues_found, own.issues_crawled, own.issues_new, own.issues_changed,
       own.issues_unchanged, own.failed_issues, own.skipped_issues, own.related_issues, own.attachments_downloaded,
       own.avg_issue_time_ms, own.requests, own.retries, own.bytes_received, held.issues AS issues_held,
       wrong.errors, wrong.warnings
FROM ims.crawl_sessions own
JOIN ims.users person ON person.user_id = own.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = own.tracker_id AND tracker.user_id = own.user_id
CROSS JOIN LATERAL (
    SELECT count(*) AS issues FROM ims.session_issues of_session
    WHERE of_session.session_id = own.session_id AND of_session.user_id = own.user_id
) AS held
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE said.severity = 'error') AS errors,
           count(*) FILTER (WHERE said.severity = 'warning') AS warnings
    FROM ims.session_errors said
    WHERE said.session_id = own.session_id AND said.user_id = own.user_id
) AS wrong;

GRANT SELECT ON ims.v_session_detail TO ims_app, ims_user, ims_readonly, ims_admin;

-- add_progress --
-- Adds what one batch brought to the session's totals, if its fence is still ours.
UPDATE ims.crawl_sessions
SET issues_crawled = issues_crawled + %(issues_crawled)s,
    issues_new = issues_new + %(issues_new)s,
    issues_changed = issues_changed + %(issues_changed)s,
    issues_unchanged = issues_unchanged + %(issues_unchanged)s,
    failed_issues = failed_issues + %(failed_issues)s,
    skipped_issues = skipped_issues + %(skipped_issues)s,
    related_issues = related_issues + %(related_issues)s,
    comments_announced = comments_announced + %(comments_announced)s,
    comments_stored = comments_stored + %(comments_stored)s,
    history_announced = history_announced + %(history_announced)s,
    history_stored = history_stored + %(history_stored)s,
    pages_kept = pages_kept + %(pages_kept)s,
    requests = requests + %(requests)s,
    retries = retries + %(retries)s,
    bytes_received = bytes_received + %(bytes_received)s,
    wait_seconds = wait_seconds + %(wait_seconds)s,
    heartbeat_at = clock_timestamp(),
    moved_at = clock_timestamp(),
    waits_for = NULL
WHERE session_id = %(session_id)s AND fence = coalesce(%(fence)s, fence) AND status = 'running'

-- tell_movement --
-- One of several processes may wait while others move: only where none does is it the session that waits.
UPDATE ims.crawl_sessions
SET moved_at = CASE WHEN %(moved)s THEN clock_timestamp() ELSE moved_at END,
    waits_for = CASE
        WHEN %(moved)s THEN NULL
        WHEN coalesce(moved_at, started_at) < clock_timestamp() - make_interval(secs => %(quiet)s)
        THEN coalesce(%(waits_for)s, waits_for)
    END
WHERE session_id = %(session_id)s

-- add_error --
INSERT INTO ims.session_errors
    (user_id, session_id, issue_id, error_type, severity, error_message, error_detail)
VALUES (%(user_id)s, %(session_id)s, %(issue_id)s, %(error_type)s, %(severity)s, %(message)s, %(detail)s)

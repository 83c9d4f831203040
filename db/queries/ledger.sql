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
    heartbeat_at = clock_timestamp()
WHERE session_id = %(session_id)s AND fence = coalesce(%(fence)s, fence) AND status = 'running'

-- add_error --
INSERT INTO ims.session_errors
    (user_id, session_id, issue_id, error_type, severity, error_message, error_detail)
VALUES (%(user_id)s, %(session_id)s, %(issue_id)s, %(error_type)s, %(severity)s, %(message)s, %(detail)s)

-- begin --
-- A session and its question, running; gives what a lease of it needs.
WITH begun AS (
    INSERT INTO ims.crawl_sessions (
        user_id, tracker_id, product, original_query, parsed_query, query_language, max_results, crawl_related,
        since, parallel_workers, status, fence, metadata
    )
    VALUES (
        %(user_id)s, %(tracker_id)s, %(product)s, %(original)s, %(text)s, %(language)s, %(max_results)s,
        %(related)s, %(since)s, %(workers)s, 'running', 1, %(metadata)s
    )
    RETURNING *
), asked AS (
    INSERT INTO ims.search_queries (
        user_id, session_id, original_query, parsed_query, query_language, product, parsing_method,
        parsing_confidence
    )
    SELECT user_id, session_id, original_query, parsed_query, query_language, product, %(method)s, %(confidence)s
    FROM begun
)
SELECT session_id, session_uuid, user_id, tracker_id, fence, parsed_query, product, since, max_results,
       crawl_related, parallel_workers, search_cursor, search_done, bytes_received, metadata
FROM begun

-- lease --
SELECT session_id, session_uuid, user_id, tracker_id, fence, parsed_query, product, since, max_results,
       crawl_related, parallel_workers, search_cursor, search_done, bytes_received, metadata
FROM ims.crawl_sessions
WHERE session_id = %(session_id)s

-- find --
SELECT session_id
FROM ims.crawl_sessions
WHERE session_uuid = %(session_uuid)s AND user_id = %(user_id)s

-- drop_chunks --
UPDATE ims.session_chunks
SET state = 'dropped', fence = fence + 1
WHERE session_id = %(session_id)s AND state IN ('waiting', 'working')

-- lock --
SELECT status, tracker_id, metadata
FROM ims.crawl_sessions
WHERE session_id = %(session_id)s
FOR NO KEY UPDATE

-- take_over --
-- Nobody works on it but we, from the first moment on.
UPDATE ims.crawl_sessions
SET fence = fence + 1,
    status = 'running',
    completed_at = NULL,
    heartbeat_at = clock_timestamp(),
    metadata = (metadata - 'backend') || jsonb_build_object('allow_empty', %(allow_empty)s::jsonb)
WHERE session_id = %(session_id)s
RETURNING session_id, session_uuid, user_id, tracker_id, fence, parsed_query, product, since, max_results,
       crawl_related, parallel_workers, search_cursor, search_done, bytes_received, metadata

-- add_files --
UPDATE ims.crawl_sessions
SET attachments_downloaded = attachments_downloaded + %(fetched)s
WHERE session_id = %(session_id)s AND fence = coalesce(%(fence)s, fence)
RETURNING session_id

-- hold --
SELECT status
FROM ims.crawl_sessions
WHERE session_id = %(session_id)s AND fence = %(fence)s
FOR UPDATE

-- skip_rest --
-- A session that ended at its limit leaves references that it never looked at.
UPDATE ims.session_frontier
SET state = 'skipped', detail = %(detail)s
WHERE session_id = %(session_id)s AND state = 'pending'

-- close --
-- A session's last figures, counted again in what is committed; the caller has locked its row.
WITH counted AS (
    SELECT count(*) FILTER (WHERE reason = 'search') AS found,
           count(*) FILTER (WHERE reason = 'related') AS related,
           count(*) FILTER (WHERE state = 'new') AS added,
           count(*) FILTER (WHERE state = 'changed') AS changed,
           count(*) FILTER (WHERE state = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state = 'skipped') AS skipped
    FROM ims.session_frontier
    WHERE session_id = %(session_id)s
), closed AS (
    UPDATE ims.crawl_sessions s
    SET total_issues_found = c.found,
        related_issues = c.related,
        issues_new = c.added,
        issues_changed = c.changed,
        issues_unchanged = c.unchanged,
        issues_crawled = c.added + c.changed + c.unchanged,
        failed_issues = c.failed,
        skipped_issues = c.skipped,
        -- completed is only said when the numbers add up
        status = CASE
            WHEN %(status)s = 'completed' AND max_results IS NULL AND c.found < tracker_total THEN 'failed'
            ELSE %(status)s
        END,
        metadata = metadata - 'backend',
        completed_at = clock_timestamp(),
        waits_for = NULL,
        duration_seconds = coalesce(duration_seconds, 0) + %(seconds)s,
        search_time_ms = coalesce(search_time_ms, 0) + %(search_ms)s,
        crawl_time_ms = coalesce(crawl_time_ms, 0) + %(crawl_ms)s,
        avg_issue_time_ms = CASE
            WHEN c.added + c.changed + c.unchanged > 0
            THEN (coalesce(crawl_time_ms, 0) + %(crawl_ms)s)::double precision
                / (c.added + c.changed + c.unchanged)
            ELSE avg_issue_time_ms
        END,
        requests = requests + %(requests)s,
        retries = retries + %(retries)s,
        bytes_received = bytes_received + %(bytes)s,
        wait_seconds = wait_seconds + %(wait_seconds)s
    FROM counted c
    WHERE s.session_id = %(session_id)s
    RETURNING s.session_id, s.user_id, s.status, s.tracker_total, s.total_issues_found
), answered AS (
    UPDATE ims.search_queries q
    SET results_count = c.total_issues_found
    FROM closed c
    WHERE q.session_id = c.session_id
), told AS (
    INSERT INTO ims.session_errors (user_id, session_id, error_type, error_message)
    SELECT user_id, session_id, 'SearchIncomplete',
           format('The tracker announces %%s issues but listed %%s: crawl again to find the others.',
                  tracker_total, total_issues_found)
    FROM closed
    WHERE status <> %(status)s
    UNION ALL
    SELECT user_id, session_id, %(error_type)s::text, %(error)s
    FROM closed
    WHERE %(error_type)s::text IS NOT NULL
)
SELECT status FROM closed

-- summary --
SELECT session_uuid::text, status, tracker_total, total_issues_found, issues_crawled, issues_new, issues_changed,
       issues_unchanged, failed_issues, skipped_issues, related_issues, attachments_downloaded,
       round(coalesce(duration_seconds, 0)::numeric, 3)::double precision AS duration_seconds,
       metadata -> 'removed' AS removed
FROM ims.crawl_sessions
WHERE session_id = %(session_id)s

-- errors --
SELECT issue_id, error_type, severity, error_message AS message
FROM ims.session_errors
WHERE session_id = %(session_id)s
ORDER BY error_id
LIMIT %(limit)s

-- shortfalls --
SELECT error_message
FROM ims.session_errors
WHERE session_id = %(session_id)s AND issue_id IS NULL AND severity = 'error'
ORDER BY error_id

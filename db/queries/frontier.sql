-- advance_search --
-- Moves the session's search on, if its fence is still ours. The row stays locked until the commit:
-- positions are given out in the order of commits, so that nobody who reads on from a position misses a
-- reference with a smaller one.
UPDATE ims.crawl_sessions
SET search_cursor = %(cursor)s,
    search_done = %(done)s,
    tracker_total = coalesce(%(total)s, tracker_total),
    heartbeat_at = clock_timestamp(),
    moved_at = clock_timestamp(),
    waits_for = NULL
WHERE session_id = %(session_id)s AND fence = %(fence)s

-- lock_session --
-- The same lock for a writer that adds references without moving the search.
SELECT FROM ims.crawl_sessions WHERE session_id = %(session_id)s FOR NO KEY UPDATE

-- add --
-- Adds references that the session does not know yet, behind the others. One that says the same time of change as the
-- stored issue is settled as unchanged and brought by the session like any other, if that issue was read whole, and so
-- long after the change that a second change within what the two times can tell apart would have been seen.
WITH added AS (
    INSERT INTO ims.session_frontier
        (session_id, user_id, issue_id, url, listed, modified_at, reason, state, position)
    SELECT %(session_id)s, %(user_id)s, found.issue_id, found.url, found.listed::jsonb, found.modified_at, %(reason)s,
           CASE WHEN same.issue_pk IS NULL THEN 'pending' ELSE 'unchanged' END,
           found.ordinal + coalesce(
               (SELECT known.position FROM ims.session_frontier known
                WHERE known.session_id = %(session_id)s ORDER BY known.position DESC LIMIT 1), -1)
    FROM unnest(%(issue_ids)b::text[], %(urls)b::text[], %(listed)b::text[], %(modified)b::timestamptz[])
         WITH ORDINALITY AS found (issue_id, url, listed, modified_at, ordinal)
    LEFT JOIN ims.issues same
        ON %(settles_after)s::interval IS NOT NULL
        AND same.user_id = %(user_id)s AND same.tracker_id = %(tracker_id)s AND same.issue_id = found.issue_id
        AND same.modified_date = found.modified_at AND same.removed_at IS NULL AND same.content_hash IS NOT NULL
        AND (SELECT max(page.fetched_at) >= found.modified_at + %(settles_after)s::interval
                    AND NOT bool_or(page.quarantined)
             FROM ims.raw_pages page
             WHERE page.user_id = same.user_id AND page.tracker_id = same.tracker_id
               AND page.issue_id = same.issue_id)
    ON CONFLICT (user_id, session_id, issue_id) DO NOTHING
    RETURNING issue_id, state, position
), brought AS (
    INSERT INTO ims.session_issues (session_id, issue_pk, user_id, crawl_order)
    SELECT %(session_id)s, issue.issue_pk, %(user_id)s, added.position
    FROM added
    JOIN ims.issues issue
        ON issue.user_id = %(user_id)s AND issue.tracker_id = %(tracker_id)s AND issue.issue_id = added.issue_id
    WHERE added.state = 'unchanged'
    ORDER BY issue.issue_pk
    ON CONFLICT (user_id, session_id, issue_pk) DO NOTHING
)
SELECT count(*), count(*) FILTER (WHERE state = 'unchanged') FROM added

-- take_pending --
-- With the pages that the stored issue was read from, where nothing was odd about it: those of one fetch bear one time.
SELECT found.issue_id, found.position, found.reason, found.url, found.listed, found.attempts,
       coalesce(kept.parts, '{}'), coalesce(kept.hashes, '{}')
FROM (
    SELECT issue_id, position, reason, url, listed, attempts, user_id, session_id
    FROM ims.session_frontier
    WHERE session_id = %(session_id)s AND state = 'pending' AND position > %(after_position)s
      AND position <= %(last_position)s
    ORDER BY position
    LIMIT %(limit)s
) found
LEFT JOIN ims.crawl_sessions session ON session.session_id = found.session_id
LEFT JOIN ims.issues stored
    ON %(compares)s AND stored.user_id = found.user_id AND stored.tracker_id = session.tracker_id
    AND stored.issue_id = found.issue_id AND stored.content_hash IS NOT NULL
    AND stored.removed_at IS NULL
LEFT JOIN LATERAL (
    SELECT array_agg(page.part) AS parts, array_agg(page.sha256) AS hashes
    FROM ims.raw_pages page
    WHERE page.user_id = stored.user_id AND page.tracker_id = stored.tracker_id AND page.issue_id = stored.issue_id
      AND page.fetched_at = (
          SELECT max(newest.fetched_at) FROM ims.raw_pages newest
          WHERE newest.user_id = stored.user_id AND newest.tracker_id = stored.tracker_id
            AND newest.issue_id = stored.issue_id)
    HAVING NOT bool_or(page.quarantined)
       AND NOT EXISTS (
           SELECT FROM ims.session_issues odd
           WHERE odd.user_id = stored.user_id AND odd.issue_pk = stored.issue_pk AND odd.had_errors)
) kept ON true
ORDER BY found.position

-- still_pending --
SELECT issue_id
FROM ims.session_frontier
WHERE session_id = %(session_id)s AND issue_id = ANY (%(issue_ids)b::text[]) AND state = 'pending'

-- plan_by_key --
-- A batch's rows are found by their keys however large the table is; the planner, asked for hundreds of
-- keys, would rather read all of a middling table, and more of it at every batch.
SELECT set_config('enable_seqscan', 'off', true), set_config('random_page_cost', '1.1', true)

-- mark --
UPDATE ims.session_frontier
SET state = %(state)s, detail = %(detail)s, attempts = attempts + 1, updated_at = clock_timestamp()
WHERE session_id = %(session_id)s AND issue_id = ANY (%(issue_ids)b::text[])

-- take_fence --
-- Makes this process the session's holder and every former one a stranger.
UPDATE ims.crawl_sessions
SET fence = fence + 1, heartbeat_at = clock_timestamp()
WHERE session_id = %(session_id)s
RETURNING fence

-- hold_fence --
-- The row stays locked until the commit, so that nobody takes the session over between the question and
-- the commit.
UPDATE ims.crawl_sessions
SET heartbeat_at = clock_timestamp()
WHERE session_id = %(session_id)s AND fence = %(fence)s

-- beat --
-- A sign of life, and the connection that lives as long as the session's holder does: it is gone at once with a process
-- that is killed.
UPDATE ims.crawl_sessions
SET heartbeat_at = clock_timestamp(), metadata = metadata || jsonb_build_object('backend', pg_backend_pid())
WHERE session_id = %(session_id)s AND fence = %(fence)s

-- tally --
SELECT reason, state, count(*) FROM ims.session_frontier WHERE session_id = %(session_id)s GROUP BY reason, state

-- counts --
SELECT state, count(*) FROM ims.session_frontier WHERE session_id = %(session_id)s GROUP BY state

-- settle_known --
-- Listed issues that are stored need no second look; one with a tombstone does, since it is back.
UPDATE ims.session_frontier waiting
SET state = 'skipped', detail = %(detail)s, updated_at = clock_timestamp()
FROM ims.issues issue
WHERE waiting.session_id = %(session_id)s AND waiting.issue_id = ANY (%(issue_ids)s) AND waiting.state = 'pending'
  AND issue.user_id = %(user_id)s AND issue.tracker_id = %(tracker_id)s AND issue.issue_id = waiting.issue_id
  AND issue.removed_at IS NULL

-- is_complete --
-- Whether the list was read to its end and was as long as the tracker says.
SELECT session.search_done
   AND (session.tracker_total IS NULL OR session.tracker_total <= (
        SELECT count(*) FROM ims.session_frontier found
        WHERE found.session_id = session.session_id AND found.reason = 'search'))
FROM ims.crawl_sessions session
WHERE session.session_id = %(session_id)s

-- expect --
-- The stored issues that the list should have had: all of the tracker, or of the product; of a narrower
-- question, those that it found before.
INSERT INTO pg_temp.expected (issue_id, url)
SELECT issue.issue_id, issue.url
FROM ims.issues issue
WHERE issue.user_id = %(user_id)s AND issue.tracker_id = %(tracker_id)s AND issue.removed_at IS NULL
  AND ((%(text)s = '*' AND (%(product)s::text IS NULL OR starts_with(lower(issue.product), lower(%(product)s))))
       OR EXISTS (
           SELECT
           FROM ims.session_issues brought
           JOIN ims.crawl_sessions earlier USING (session_id)
           JOIN ims.session_frontier found USING (session_id)
           WHERE brought.issue_pk = issue.issue_pk AND brought.user_id = issue.user_id
             AND earlier.tracker_id = issue.tracker_id AND earlier.parsed_query = %(text)s
             AND earlier.product IS NOT DISTINCT FROM %(product)s
             AND found.issue_id = issue.issue_id AND found.reason = 'search'))

-- make_expected --
CREATE TEMP TABLE expected (issue_id text, url text) ON COMMIT DROP

-- add_missing --
INSERT INTO ims.session_frontier (session_id, user_id, issue_id, url, reason, position)
SELECT %(session_id)s, %(user_id)s, issue_id, url, 'census',
       row_number() OVER (ORDER BY issue_id COLLATE "C") + coalesce(
           (SELECT max(known.position) FROM ims.session_frontier known WHERE known.session_id = %(session_id)s), -1)
FROM pg_temp.expected
WHERE NOT EXISTS (
    SELECT FROM ims.session_frontier known
    WHERE known.session_id = %(session_id)s AND known.issue_id = expected.issue_id)
ON CONFLICT (user_id, session_id, issue_id) DO NOTHING

-- shares --
-- How many of the expected issues are gone, how many there are, and how many nobody has looked for yet.
SELECT count(*) FILTER (WHERE found.state = 'removed'), count(*), count(*) FILTER (WHERE found.state = 'pending')
FROM pg_temp.expected
LEFT JOIN ims.session_frontier found
    ON found.session_id = %(session_id)s AND found.issue_id = expected.issue_id

-- mark_removed --
-- An issue that was seen after we looked for it is not gone.
UPDATE ims.issues issue
SET removed_at = clock_timestamp(), removed_reason = split_part(gone.detail, ' ', 1)
FROM ims.session_frontier gone
WHERE gone.session_id = %(session_id)s AND gone.reason = 'census' AND gone.state = 'removed'
  AND issue.user_id = %(user_id)s AND issue.tracker_id = %(tracker_id)s AND issue.issue_id = gone.issue_id
  AND issue.removed_at IS NULL AND issue.last_crawled_at <= gone.updated_at

-- removed --
SELECT issue.removed_reason, count(*)
FROM ims.session_frontier gone
JOIN ims.issues issue ON issue.issue_id = gone.issue_id
WHERE gone.session_id = %(session_id)s AND gone.reason = 'census' AND gone.state = 'removed'
  AND issue.user_id = %(user_id)s AND issue.tracker_id = %(tracker_id)s AND issue.removed_at IS NOT NULL
GROUP BY issue.removed_reason

-- note --
UPDATE ims.crawl_sessions
SET metadata = metadata || jsonb_build_object('removed', %(removed)s::jsonb)
WHERE session_id = %(session_id)s

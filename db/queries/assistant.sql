-- is_delegate --
SELECT pg_catalog.pg_has_role(session_user, 'ims_delegate', 'MEMBER')

-- open_visit --
SELECT ims.open_visit(%(verifier)s)

-- bounds --
-- What a statement of somebody's is held within: its time, that of its locks, and whose rows.
SELECT set_config('statement_timeout', %(timeout)s, true), set_config('lock_timeout', %(timeout)s, true),
       CASE WHEN %(own_rows)s THEN set_config('ims.own_rows', 'on', true) END

-- freshness --
-- When the newest session ended that brought all it was asked for, and whether one began since.
SELECT max(completed_at) FILTER (WHERE status = 'completed') AS complete_as_of,
       coalesce(max(started_at) > max(completed_at) FILTER (WHERE status = 'completed'), false) AS unfinished
FROM ims.crawl_sessions

-- as_of --
SELECT past.issue_id, tracker.name AS tracker, past.title, past.status, past.state, past.priority, past.owner,
       issue.url, count(*) OVER () AS total
FROM ims.issues_as_of(%(at)s, %(product)s) AS past
JOIN ims.issues issue ON issue.issue_pk = past.issue_pk
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id
ORDER BY past.issue_pk DESC LIMIT %(limit)s OFFSET %(offset)s

-- file_parts --
SELECT member, first_line, content, count(*) OVER () AS total
FROM ims.file_text_parts WHERE user_id = %(user_id)s AND sha256 = %(sha256)s
ORDER BY position LIMIT %(limit)s OFFSET %(offset)s

-- rows_of --
-- The rows of somebody's statement as JSON, each with its size; one that is too large comes without itself.
SELECT CASE WHEN octet_length(told.as_json) <= {largest} THEN told.as_json END, octet_length(told.as_json)
FROM (SELECT row_to_json(asked)::text AS as_json FROM (
{statement}
) AS asked OFFSET 0) AS told LIMIT {most}

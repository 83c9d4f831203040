-- A user's sessions in figures: one row, or none where the caller may not see the user.
--
--   unique_issues      issues that any of the sessions stored or found unchanged
--   most_used_product  the product that most sessions named
CREATE OR REPLACE FUNCTION ims.get_user_stats(wanted integer) RETURNS TABLE (
    total_sessions bigint, successful_sessions bigint, failed_sessions bigint, total_issues_crawled bigint,
    unique_issues bigint, total_attachments bigint, avg_session_duration_sec double precision,
    last_session_date timestamptz, most_used_product text
)
LANGUAGE sql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
SELECT session.total, session.completed, session.failed, session.issues,
       (SELECT count(DISTINCT held.issue_pk) FROM ims.session_issues held
        JOIN ims.crawl_sessions own ON own.session_id = held.session_id AND own.user_id = held.user_id
        WHERE own.user_id = wanted),
       session.attachments, session.duration, session.last,
       (SELECT own.product FROM ims.crawl_sessions own
        WHERE own.user_id = wanted AND own.product <> ''
        GROUP BY own.product ORDER BY count(*) DESC, max(own.started_at) DESC, own.product LIMIT 1)
FROM ims.users person
CROSS JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE own.status = 'completed') AS completed,
           count(*) FILTER (WHERE own.status = 'failed') AS failed, coalesce(sum(own.issues_crawled), 0)::bigint AS issues,
           coalesce(sum(own.attachments_downloaded), 0)::bigint AS attachments, avg(own.duration_seconds) AS duration,
           max(own.started_at) AS last
    FROM ims.crawl_sessions own
    WHERE own.user_id = wanted
) AS session
WHERE person.user_id = wanted
$$;

GRANT EXECUTE ON FUNCTION ims.get_user_stats(integer) TO ims_app, ims_user, ims_readonly, ims_admin;

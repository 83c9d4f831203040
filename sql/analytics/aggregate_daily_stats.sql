-- Work out ims.analytics_daily for a day, UTC: of everybody where an admin asks, else one's own. Sessions belong to the day
-- on which they started, new issues are those of its sessions that were seen for the first time on it. Twice is once. A day
-- on which a user neither crawled nor asked has no row; one that is there stays, for its sessions may be gone by now.
--
-- Each figure is counted by itself, so that no join multiplies a sum; and within a user's part of an index, so that it costs
-- what the day held.
CREATE OR REPLACE FUNCTION ims.aggregate_daily_stats(wanted date) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
    first CONSTANT timestamptz := wanted::timestamp AT TIME ZONE 'UTC';
    after CONSTANT timestamptz := (wanted + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    INSERT INTO ims.analytics_daily AS stored (
        user_id, stat_date, sessions_count, successful_sessions, failed_sessions, issues_crawled, unique_issues, new_issues,
        attachments_downloaded, avg_session_duration_sec, avg_issues_per_session, product_stats, top_queries)
    SELECT person.user_id, wanted, session.number, session.completed, session.failed, session.issues, held.issues, held.fresh,
           session.attachments, session.duration, session.share, held.products, query.top
    FROM ims.users person
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, count(*) FILTER (WHERE own.status = 'completed') AS completed,
               count(*) FILTER (WHERE own.status = 'failed') AS failed, coalesce(sum(own.issues_crawled), 0) AS issues,
               coalesce(sum(own.attachments_downloaded), 0) AS attachments, avg(own.duration_seconds) AS duration,
               avg(own.issues_crawled) AS share
        FROM ims.crawl_sessions own
        WHERE own.user_id = person.user_id AND own.started_at >= first AND own.started_at < after
    ) AS session
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(each.issues), 0) AS issues, coalesce(sum(each.fresh), 0) AS fresh,
               coalesce(jsonb_object_agg(each.product, each.issues) FILTER (WHERE each.product <> ''), '{}') AS products
        FROM (
            SELECT issue.product, count(*) AS issues,
                   count(*) FILTER (WHERE issue.first_crawled_at >= first AND issue.first_crawled_at < after) AS fresh
            FROM (
                SELECT DISTINCT of_session.issue_pk
                FROM ims.crawl_sessions own
                JOIN ims.session_issues of_session
                  ON of_session.session_id = own.session_id AND of_session.user_id = own.user_id
                WHERE own.user_id = person.user_id AND own.started_at >= first AND own.started_at < after
            ) AS seen
            JOIN ims.issues issue USING (issue_pk)
            GROUP BY issue.product
        ) AS each
    ) AS held
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(jsonb_build_object('query', asked.original_query, 'count', asked.number)
                                  ORDER BY asked.number DESC, asked.original_query), '[]') AS top
        FROM (
            SELECT own.original_query, count(*) AS number
            FROM ims.search_queries own
            WHERE own.user_id = person.user_id AND own.queried_at >= first AND own.queried_at < after
            GROUP BY own.original_query
            ORDER BY count(*) DESC, own.original_query
            LIMIT 10
        ) AS asked
    ) AS query
    WHERE session.number > 0 OR query.top <> '[]'
    ON CONFLICT (user_id, stat_date) DO UPDATE SET
        sessions_count = excluded.sessions_count, successful_sessions = excluded.successful_sessions,
        failed_sessions = excluded.failed_sessions, issues_crawled = excluded.issues_crawled,
        unique_issues = excluded.unique_issues, new_issues = excluded.new_issues,
        attachments_downloaded = excluded.attachments_downloaded,
        avg_session_duration_sec = excluded.avg_session_duration_sec,
        avg_issues_per_session = excluded.avg_issues_per_session, product_stats = excluded.product_stats,
        top_queries = excluded.top_queries, updated_at = now()
    WHERE (stored.sessions_count, stored.successful_sessions, stored.failed_sessions, stored.issues_crawled,
           stored.unique_issues, stored.new_issues, stored.attachments_downloaded, stored.avg_session_duration_sec,
           stored.avg_issues_per_session, stored.product_stats, stored.top_queries)
        IS DISTINCT FROM
          (excluded.sessions_count, excluded.successful_sessions, excluded.failed_sessions, excluded.issues_crawled,
           excluded.unique_issues, excluded.new_issues, excluded.attachments_downloaded, excluded.avg_session_duration_sec,
           excluded.avg_issues_per_session, excluded.product_stats, excluded.top_queries);
END
$$;

GRANT EXECUTE ON FUNCTION ims.aggregate_daily_stats(date) TO ims_app, ims_user, ims_admin;

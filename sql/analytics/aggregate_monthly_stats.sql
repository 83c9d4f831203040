-- Work out ims.analytics_monthly for a month, UTC: of everybody where an admin asks, else one's own. Twice is once, and a
-- user without sessions and questions has no row, as in ims.aggregate_daily_stats.
--
--   keyword_trends          in how many of the month's issues the 20 commonest words of titles are
--   product_distribution    issues of the month's sessions, each once, by product; issue_status_breakdown: by present status
--   synonym_expansion_rate  NULL: what is kept of a question does not tell whether synonyms found something
CREATE OR REPLACE FUNCTION ims.aggregate_monthly_stats(wanted_year integer, wanted_month integer) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
    start CONSTANT date := make_date(wanted_year, wanted_month, 1);
    finish CONSTANT date := start + interval '1 month';
    first CONSTANT timestamptz := start::timestamp AT TIME ZONE 'UTC';
    after CONSTANT timestamptz := finish::timestamp AT TIME ZONE 'UTC';
BEGIN
    INSERT INTO ims.analytics_monthly AS stored (
        user_id, year, month, total_sessions, avg_sessions_per_day, total_issues_crawled, unique_issues, keyword_trends,
        product_distribution, issue_status_breakdown, avg_parsing_confidence)
    SELECT person.user_id, wanted_year, wanted_month, session.number, session.number::double precision / (finish - start),
           session.issues, held.issues, held.words, held.products, held.statuses, query.confidence
    FROM ims.users person
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, coalesce(sum(own.issues_crawled), 0) AS issues
        FROM ims.crawl_sessions own
        WHERE own.user_id = person.user_id AND own.started_at >= first AND own.started_at < after
    ) AS session
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, avg(own.parsing_confidence) AS confidence
        FROM ims.search_queries own
        WHERE own.user_id = person.user_id AND own.queried_at >= first AND own.queried_at < after
    ) AS query
    CROSS JOIN LATERAL (
        WITH seen AS MATERIALIZED (
            SELECT issue.issue_pk, issue.product, issue.status, issue.title
            FROM ims.issues issue
            WHERE issue.issue_pk = ANY (ARRAY(  -- in the order of the index, for which a join asks once an issue
                SELECT of_session.issue_pk
                FROM ims.crawl_sessions own
                JOIN ims.session_issues of_session
                  ON of_session.session_id = own.session_id AND of_session.user_id = own.user_id
                WHERE own.user_id = person.user_id AND own.started_at >= first AND own.started_at < after))
        )
        SELECT (SELECT count(*) FROM seen) AS issues,
               (SELECT coalesce(jsonb_object_agg(each.product, each.number), '{}')
                FROM (SELECT product, count(*) AS number FROM seen WHERE product <> '' GROUP BY product) AS each) AS products,
               (SELECT coalesce(jsonb_object_agg(each.status, each.number), '{}')
                FROM (SELECT status, count(*) AS number FROM seen WHERE status <> '' GROUP BY status) AS each) AS statuses,
               (SELECT coalesce(jsonb_object_agg(each.word, each.number), '{}')
                FROM (SELECT word, count(*) AS number
                      FROM seen CROSS JOIN LATERAL (SELECT DISTINCT word FROM ims.title_words(title) AS word) AS said
                      GROUP BY word ORDER BY count(*) DESC, word LIMIT 20) AS each) AS words
    ) AS held
    WHERE session.number > 0 OR query.number > 0
    ON CONFLICT (user_id, year, month) DO UPDATE SET
        total_sessions = excluded.total_sessions, avg_sessions_per_day = excluded.avg_sessions_per_day,
        total_issues_crawled = excluded.total_issues_crawled, unique_issues = excluded.unique_issues,
        keyword_trends = excluded.keyword_trends, product_distribution = excluded.product_distribution,
        issue_status_breakdown = excluded.issue_status_breakdown,
        avg_parsing_confidence = excluded.avg_parsing_confidence, updated_at = now()
    WHERE (stored.total_sessions, stored.avg_sessions_per_day, stored.total_issues_crawled, stored.unique_issues,
           stored.keyword_trends, stored.product_distribution, stored.issue_status_breakdown, stored.avg_parsing_confidence)
        IS DISTINCT FROM
          (excluded.total_sessions, excluded.avg_sessions_per_day, excluded.total_issues_crawled, excluded.unique_issues,
           excluded.keyword_trends, excluded.product_distribution, excluded.issue_status_breakdown,
           excluded.avg_parsing_confidence);
END
$$;

GRANT EXECUTE ON FUNCTION ims.aggregate_monthly_stats(integer, integer) TO ims_app, ims_user, ims_admin;

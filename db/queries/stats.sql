-- sessions --
-- What came of the sessions since a time.
SELECT count(*) AS total, count(*) FILTER (WHERE status = 'completed') AS completed,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'running') AS running,
       count(*) FILTER (WHERE status = 'completed')::double precision
           / nullif(count(*) FILTER (WHERE status <> 'running'), 0) AS success_rate,
       avg(duration_seconds) AS avg_duration_seconds,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_seconds) AS p95_duration_seconds,
       coalesce(sum(issues_crawled), 0)::bigint AS issues_crawled,
       coalesce(sum(failed_issues), 0)::bigint AS failed_issues
FROM ims.crawl_sessions WHERE started_at >= %(since)s

-- issues --
SELECT count(*) AS total, count(*) FILTER (WHERE state <> 'done') AS open,
       count(*) FILTER (WHERE state = 'done') AS closed, count(*) FILTER (WHERE state = 'unknown') AS unplaced,
       count(*) FILTER (WHERE first_crawled_at >= %(since)s) AS new,
       count(*) FILTER (WHERE modified_date >= %(since)s) AS changed
FROM ims.issues WHERE removed_at IS NULL

-- products --
-- The ten with most issues.
SELECT product, sum(issues)::bigint AS issues, sum(open_issues)::bigint AS open
FROM ims.v_product_stats GROUP BY product ORDER BY 2 DESC, 1 LIMIT 10

-- top_queries --
SELECT original_query AS query, count(*) AS count
FROM ims.search_queries WHERE queried_at >= %(since)s
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10

-- flow --
SELECT * FROM ims.issue_flow(%(since)s, %(until)s, %(bucket)s)

-- receipt --
SELECT * FROM ims.session_receipt(%(session_uuid)s)

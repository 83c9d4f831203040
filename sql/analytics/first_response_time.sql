-- How long issues waited for the first comment by somebody else than their reporter. Of those that were registered within
-- the given time and got one; no issues: no intervals. A comment that was taken away later was a response all the same;
-- one whose author or time is unknown is none.
--
--   product  a product, or the beginning of several's names; NULL: all
--   to_ts    not included; NULL: no end
CREATE OR REPLACE FUNCTION ims.first_response_time(
    product text DEFAULT NULL, from_ts timestamptz DEFAULT NULL, to_ts timestamptz DEFAULT NULL
) RETURNS TABLE (issues bigint, p50 interval, p90 interval, p99 interval)
LANGUAGE sql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH waited AS (
    SELECT date_part('epoch', min(said.commented_at) - issue.registered_date) AS seconds
    FROM ims.issues issue
    JOIN ims.issue_comments said ON said.issue_pk = issue.issue_pk AND said.user_id = issue.user_id
    WHERE (first_response_time.product IS NULL
           OR starts_with(lower(issue.product), lower(first_response_time.product)))
      AND issue.registered_date >= coalesce(from_ts, '-infinity')
      AND issue.registered_date < coalesce(to_ts, 'infinity')
      AND said.commented_at >= issue.registered_date
      AND lower(btrim(said.author)) <> coalesce(lower(btrim(issue.reporter)), '')
    GROUP BY issue.issue_pk, issue.registered_date
)
SELECT count(*), make_interval(secs => percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)),
       make_interval(secs => percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)),
       make_interval(secs => percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds))
FROM waited
$$;

GRANT EXECUTE ON FUNCTION ims.first_response_time(text, timestamptz, timestamptz) TO ims_app, ims_user, ims_readonly, ims_admin;

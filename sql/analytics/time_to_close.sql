-- How long issues took from being registered to being closed for the last time. Of those that are closed now and were
-- closed within the given time; no issues: no intervals.
--
--   product  a product, or the beginning of several's names; NULL: all
--   to_ts    not included; NULL: no end
CREATE OR REPLACE FUNCTION ims.time_to_close(
    product text DEFAULT NULL, from_ts timestamptz DEFAULT NULL, to_ts timestamptz DEFAULT NULL
) RETURNS TABLE (issues bigint, p50 interval, p90 interval, p99 interval)
LANGUAGE sql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH life AS (
    SELECT min(span.entered_at) AS born,
           max(span.entered_at) FILTER (WHERE span.state = 'done' AND span.previous_state <> 'done') AS closed_at
    FROM ims.status_spans(time_to_close.product) AS span
    GROUP BY span.issue_pk
    HAVING bool_or(span.state = 'done' AND (span.left_at IS NULL OR span.removed))
), taken AS (
    SELECT date_part('epoch', closed_at - born) AS seconds
    FROM life
    WHERE closed_at >= coalesce(from_ts, '-infinity') AND closed_at < coalesce(to_ts, 'infinity')
)
SELECT count(*), make_interval(secs => percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)),
       make_interval(secs => percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)),
       make_interval(secs => percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds))
FROM taken
$$;

GRANT EXECUTE ON FUNCTION ims.time_to_close(text, timestamptz, timestamptz) TO ims_app, ims_user, ims_readonly, ims_admin;

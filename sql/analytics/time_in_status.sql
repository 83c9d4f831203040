-- How long issues stayed in each status: percentiles over the issues that were in it, and the sum. Only what falls into the
-- given time counts; a status that lasts counts until to_ts, but the one in which an issue was left as done does not.
--
--   product  a product, or the beginning of several's names; NULL: all
--   to_ts    NULL: now
CREATE OR REPLACE FUNCTION ims.time_in_status(
    product text DEFAULT NULL, from_ts timestamptz DEFAULT NULL, to_ts timestamptz DEFAULT NULL
) RETURNS TABLE (status text, issues bigint, p50 interval, p90 interval, total interval)
LANGUAGE sql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH stay AS (
    SELECT span.issue_pk, span.status,
           sum(date_part('epoch', least(span.left_at, coalesce(time_in_status.to_ts, now()))
                                  - greatest(span.entered_at, from_ts))) AS seconds
    FROM ims.status_spans(time_in_status.product) AS span
    WHERE span.status IS NOT NULL
      AND NOT (span.state = 'done' AND (span.left_at IS NULL OR span.removed))
      AND span.entered_at < coalesce(time_in_status.to_ts, now())
      AND (span.left_at > coalesce(from_ts, '-infinity') OR span.left_at IS NULL)
      AND span.left_at IS DISTINCT FROM span.entered_at
    GROUP BY span.issue_pk, span.status
)
SELECT stay.status, count(*), make_interval(secs => percentile_cont(0.5) WITHIN GROUP (ORDER BY stay.seconds)),
       make_interval(secs => percentile_cont(0.9) WITHIN GROUP (ORDER BY stay.seconds)),
       -- In days, which hold the sum of very many issues; a reader's calendar ends with the last number of them.
       make_interval(days => least(floor(sum(stay.seconds) / 86400), 999999998)::integer,
                     secs => sum(stay.seconds) - floor(sum(stay.seconds) / 86400) * 86400)
FROM stay
GROUP BY stay.status
ORDER BY sum(stay.seconds) DESC, stay.status
$$;

GRANT EXECUTE ON FUNCTION ims.time_in_status(text, timestamptz, timestamptz) TO ims_app, ims_user, ims_readonly, ims_admin;

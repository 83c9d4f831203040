-- How many issues were created and closed in each bucket of a time, and how many were open at its end. Who is reopened and
-- closed again is closed twice. Buckets are UTC's; those at the ends count from from_ts and until to_ts only.
--
--   to_ts    not included; NULL: now
--   bucket   hour, day, week (from Monday), month, quarter or year
--   product  a product, or the beginning of several's names; NULL: all
CREATE OR REPLACE FUNCTION ims.issue_flow(
    from_ts timestamptz, to_ts timestamptz DEFAULT NULL, bucket text DEFAULT 'week', product text DEFAULT NULL
) RETURNS TABLE (bucket_start timestamptz, created bigint, closed bigint, open_at_end bigint)
LANGUAGE sql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH bucket AS (
    SELECT start, row_number() OVER (ORDER BY start) AS place
    FROM ims.bucket_starts(from_ts, coalesce(to_ts, now()), issue_flow.bucket) AS start
), starts AS (
    SELECT array_agg(start ORDER BY start) AS starts FROM bucket
), step AS (  -- an issue that is gone while it is open leaves then
    SELECT CASE WHEN span.entered_at < coalesce(to_ts, now()) THEN width_bucket(span.entered_at, starts) END AS place,
           CASE WHEN span.removed AND span.state <> 'done' AND span.left_at < coalesce(to_ts, now())
                THEN width_bucket(span.left_at, starts) END AS gone_place,
           count(*) FILTER (WHERE span.previous_state IS NULL AND span.entered_at >= from_ts) AS created,
           count(*) FILTER (WHERE span.state = 'done' AND span.previous_state <> 'done' AND span.entered_at >= from_ts)
               AS closed,
           count(*) FILTER (WHERE span.state <> 'done' AND coalesce(span.previous_state, 'done') = 'done')
               - count(*) FILTER (WHERE span.state = 'done' AND span.previous_state <> 'done') AS opened,
           count(*) AS number
    FROM ims.status_spans(issue_flow.product) AS span CROSS JOIN starts
    GROUP BY 1, 2
), counted AS (
    SELECT place, created, closed, opened FROM step WHERE place IS NOT NULL
    UNION ALL
    SELECT gone_place, 0, 0, -number FROM step WHERE gone_place IS NOT NULL
)
SELECT bucket.start, coalesce(sum(counted.created) FILTER (WHERE counted.place = bucket.place), 0)::bigint,
       coalesce(sum(counted.closed) FILTER (WHERE counted.place = bucket.place), 0)::bigint,
       coalesce(sum(counted.opened), 0)::bigint
FROM bucket LEFT JOIN counted ON counted.place <= bucket.place
GROUP BY bucket.start
ORDER BY bucket.start
$$;

GRANT EXECUTE ON FUNCTION ims.issue_flow(timestamptz, timestamptz, text, text) TO ims_app, ims_user, ims_readonly, ims_admin;

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
), span AS MATERIALIZED (
    SELECT * FROM ims.status_spans(product)
), step AS (
    SELECT entered_at AS at, (previous_state IS NULL)::integer AS created,
           (state = 'done' AND previous_state <> 'done')::integer AS closed,
           CASE WHEN state <> 'done' AND coalesce(previous_state, 'done') = 'done' THEN 1
                WHEN state = 'done' AND previous_state <> 'done' THEN -1 ELSE 0 END AS opened
    FROM span
    UNION ALL
    SELECT left_at, 0, 0, -1
    FROM span
    WHERE removed AND state <> 'done'
), counted AS (
    SELECT width_bucket(at, (SELECT array_agg(start ORDER BY start) FROM bucket)) AS place,
           sum(created) FILTER (WHERE at >= from_ts) AS created, sum(closed) FILTER (WHERE at >= from_ts) AS closed,
           sum(opened) AS opened
    FROM step
    WHERE at < coalesce(to_ts, now())
    GROUP BY 1
)
SELECT bucket.start, coalesce(sum(counted.created) FILTER (WHERE counted.place = bucket.place), 0)::bigint,
       coalesce(sum(counted.closed) FILTER (WHERE counted.place = bucket.place), 0)::bigint,
       coalesce(sum(counted.opened), 0)::bigint
FROM bucket LEFT JOIN counted ON counted.place <= bucket.place
GROUP BY bucket.start
ORDER BY bucket.start
$$;

GRANT EXECUTE ON FUNCTION ims.issue_flow(timestamptz, timestamptz, text, text) TO ims_app, ims_user, ims_readonly, ims_admin;

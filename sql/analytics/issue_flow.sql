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
AS $$
SELECT bucket_start, created, closed, open_at_end
FROM ims.life_figures('{flow}', issue_flow.product, from_ts, to_ts, issue_flow.bucket)
ORDER BY place
$$;

GRANT EXECUTE ON FUNCTION ims.issue_flow(timestamptz, timestamptz, text, text) TO ims_app, ims_user, ims_readonly, ims_admin;

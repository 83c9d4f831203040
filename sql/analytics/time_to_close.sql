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
AS $$
SELECT issues, p50, p90, p99
FROM ims.life_figures('{closing}', time_to_close.product, from_ts, to_ts)
ORDER BY place
$$;

GRANT EXECUTE ON FUNCTION ims.time_to_close(text, timestamptz, timestamptz) TO ims_app, ims_user, ims_readonly, ims_admin;

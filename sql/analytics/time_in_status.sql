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
AS $$
SELECT status, issues, p50, p90, total
FROM ims.life_figures('{statuses}', time_in_status.product, from_ts, to_ts)
ORDER BY place
$$;

GRANT EXECUTE ON FUNCTION ims.time_in_status(text, timestamptz, timestamptz) TO ims_app, ims_user, ims_readonly, ims_admin;

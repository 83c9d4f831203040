-- How old the issues are that were open at a moment, from when they were registered. Every bucket is there, the empty ones
-- too. A day is 24 hours: 1-7d is from one day until before the eighth is over.
--
--   product  a product, or the beginning of several's names; NULL: all
CREATE OR REPLACE FUNCTION ims.backlog_age(at timestamptz DEFAULT now(), product text DEFAULT NULL)
RETURNS TABLE (age_bucket text, open_issues bigint)
LANGUAGE sql STABLE ROWS 6
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
SELECT age_bucket, open_issues
FROM ims.life_figures('{backlog}', backlog_age.product, at => backlog_age.at)
ORDER BY place
$$;

GRANT EXECUTE ON FUNCTION ims.backlog_age(timestamptz, text) TO ims_app, ims_user, ims_readonly, ims_admin;

-- Codes of errors in the files of issues that were registered in a time, week by week, with how many issues have them.
--
--   to_ts    not included; NULL: now
--   product  only this product, or products that begin so
--   top      at most so many codes a week
CREATE OR REPLACE FUNCTION ims.error_codes(
    from_ts timestamptz, to_ts timestamptz DEFAULT NULL, product text DEFAULT NULL, top integer DEFAULT 20
) RETURNS TABLE (week date, code text, issues bigint)
LANGUAGE sql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
SELECT week, code, issues
FROM (
    SELECT date_trunc('week', issue.registered_date AT TIME ZONE 'UTC')::date AS week, code, count(DISTINCT issue.issue_pk) AS issues,
           row_number() OVER (PARTITION BY date_trunc('week', issue.registered_date AT TIME ZONE 'UTC')
                              ORDER BY count(DISTINCT issue.issue_pk) DESC, code) AS place
    FROM ims.issues issue
    JOIN ims.v_issue_files file USING (user_id, issue_pk)
    CROSS JOIN unnest(file.codes) AS code
    WHERE issue.registered_date >= from_ts AND issue.registered_date < coalesce(to_ts, now())
      AND (error_codes.product IS NULL OR starts_with(lower(issue.product), lower(error_codes.product)))
    GROUP BY date_trunc('week', issue.registered_date AT TIME ZONE 'UTC'), code
) AS counted
WHERE place <= greatest(top, 0)
ORDER BY week DESC, issues DESC, code
$$;

GRANT EXECUTE ON FUNCTION ims.error_codes(timestamptz, timestamptz, text, integer) TO ims_app, ims_user, ims_readonly, ims_admin;

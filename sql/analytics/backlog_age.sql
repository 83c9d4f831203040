-- How old the issues are that were open at a moment, from when they were registered. Every bucket is there, the empty ones
-- too. A day is 24 hours: 1-7d is from one day until before the eighth is over.
--
--   product  a product, or the beginning of several's names; NULL: all
CREATE OR REPLACE FUNCTION ims.backlog_age(at timestamptz DEFAULT now(), product text DEFAULT NULL)
RETURNS TABLE (age_bucket text, open_issues bigint)
LANGUAGE sql STABLE ROWS 6
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH moment AS (
    SELECT coalesce(backlog_age.at, now()) AS at
), life AS (
    SELECT min(span.entered_at) AS born,
           bool_or(span.state <> 'done' AND span.entered_at <= moment.at
                   AND (span.left_at IS NULL OR span.left_at > moment.at)) AS is_open,
           moment.at
    FROM ims.status_spans(backlog_age.product) AS span CROSS JOIN moment
    GROUP BY span.issue_pk, moment.at
), age AS (
    SELECT width_bucket(date_part('epoch', life.at - life.born) / 86400,
                        ARRAY[1, 8, 31, 91, 366]::double precision[]) AS place,
           count(*) AS number
    FROM life
    WHERE life.is_open
    GROUP BY 1
)
SELECT bucket.name, coalesce(age.number, 0)
FROM (VALUES (0, '<1d'), (1, '1-7d'), (2, '8-30d'), (3, '31-90d'), (4, '91-365d'), (5, '>365d')) AS bucket (place, name)
LEFT JOIN age USING (place)
ORDER BY bucket.place
$$;

GRANT EXECUTE ON FUNCTION ims.backlog_age(timestamptz, text) TO ims_app, ims_user, ims_readonly, ims_admin;

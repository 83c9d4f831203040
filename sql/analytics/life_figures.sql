-- Figures of the life of issues, of which several cost little more than one: the spans of all issues are worked out once. A row
-- has the columns of the function that gives its part alone, and tells its place there.
--
--   wanted          flow: ims.issue_flow; backlog: ims.backlog_age; statuses: ims.time_in_status; closing: ims.time_to_close
--   product_filter  a product, or the beginning of several's names; NULL: all
--   from_ts, to_ts  of flow, statuses and closing; as in their functions
--   bucket, at      of flow; of backlog
CREATE OR REPLACE FUNCTION ims.life_figures(
    wanted text[], product_filter text DEFAULT NULL, from_ts timestamptz DEFAULT NULL, to_ts timestamptz DEFAULT NULL,
    bucket text DEFAULT 'week', at timestamptz DEFAULT NULL
) RETURNS TABLE (
    part text, place bigint, bucket_start timestamptz, created bigint, closed bigint, open_at_end bigint, age_bucket text,
    open_issues bigint, status text, issues bigint, p50 interval, p90 interval, p99 interval, total interval
)
LANGUAGE sql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH span AS MATERIALIZED (
    SELECT * FROM ims.status_spans(product_filter)
), starting AS (
    SELECT start, row_number() OVER (ORDER BY start) AS place
    FROM ims.bucket_starts(from_ts, coalesce(to_ts, now()), life_figures.bucket) AS start
), starts AS (
    SELECT array_agg(start ORDER BY start) AS starts FROM starting
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
    FROM span CROSS JOIN starts
    GROUP BY 1, 2
), counted AS (
    SELECT place, created, closed, opened FROM step WHERE place IS NOT NULL
    UNION ALL
    SELECT gone_place, 0, 0, -number FROM step WHERE gone_place IS NOT NULL
), flow AS (
    SELECT starting.place, starting.start AS bucket_start,
           coalesce(sum(counted.created) FILTER (WHERE counted.place = starting.place), 0)::bigint AS created,
           coalesce(sum(counted.closed) FILTER (WHERE counted.place = starting.place), 0)::bigint AS closed,
           coalesce(sum(counted.opened), 0)::bigint AS open_at_end
    FROM starting LEFT JOIN counted ON counted.place <= starting.place
    GROUP BY starting.place, starting.start
), waiting AS (
    SELECT width_bucket(date_part('epoch', coalesce(life_figures.at, now()) - life.born) / 86400,
                        ARRAY[1, 8, 31, 91, 366]::double precision[]) AS place,
           count(*) AS number
    FROM (SELECT min(span.entered_at) AS born,
                 bool_or(span.state <> 'done' AND span.entered_at <= coalesce(life_figures.at, now())
                         AND (span.left_at IS NULL OR span.left_at > coalesce(life_figures.at, now()))) AS is_open
          FROM span
          GROUP BY span.issue_pk) AS life
    WHERE life.is_open
    GROUP BY 1
), backlog AS (
    SELECT age.place, age.name AS age_bucket, coalesce(waiting.number, 0) AS open_issues
    FROM (VALUES (0, '<1d'), (1, '1-7d'), (2, '8-30d'), (3, '31-90d'), (4, '91-365d'), (5, '>365d')) AS age (place, name)
    LEFT JOIN waiting USING (place)
), stay AS (
    SELECT span.status,
           sum(date_part('epoch', least(span.left_at, coalesce(to_ts, now())) - greatest(span.entered_at, from_ts))) AS seconds
    FROM span
    WHERE span.status IS NOT NULL
      AND NOT (span.state = 'done' AND (span.left_at IS NULL OR span.removed))
      AND span.entered_at < coalesce(to_ts, now())
      AND (span.left_at > coalesce(from_ts, '-infinity') OR span.left_at IS NULL)
      AND span.left_at IS DISTINCT FROM span.entered_at
    GROUP BY span.issue_pk, span.status
), statuses AS (
    SELECT status, count(*) AS issues, sum(seconds) AS total,
           percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds) AS shares
    FROM stay
    GROUP BY status
), closed AS (
    SELECT date_part('epoch', life.closed_at - life.born) AS seconds
    FROM (SELECT min(span.entered_at) AS born,
                 max(span.entered_at) FILTER (WHERE span.state = 'done' AND span.previous_state <> 'done') AS closed_at
          FROM span
          GROUP BY span.issue_pk
          HAVING bool_or(span.state = 'done' AND (span.left_at IS NULL OR span.removed))) AS life
    WHERE life.closed_at >= coalesce(from_ts, '-infinity') AND life.closed_at < coalesce(to_ts, 'infinity')
), closing AS (
    SELECT count(*) AS issues, percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY seconds) AS shares FROM closed
)
SELECT 'flow', place, bucket_start, created, closed, open_at_end, NULL, NULL::bigint, NULL, NULL::bigint, NULL::interval,
       NULL::interval, NULL::interval, NULL::interval
FROM flow
WHERE 'flow' = ANY (wanted)
UNION ALL
SELECT 'backlog', place, NULL, NULL, NULL, NULL, age_bucket, open_issues, NULL, NULL, NULL, NULL, NULL, NULL
FROM backlog
WHERE 'backlog' = ANY (wanted)
UNION ALL
SELECT 'statuses', row_number() OVER (ORDER BY total DESC, status), NULL, NULL, NULL, NULL, NULL, NULL, status, issues,
       make_interval(secs => shares[1]), make_interval(secs => shares[2]), NULL,
       -- In days, which hold the sum of very many issues; a reader's calendar ends with the last number of them.
       make_interval(days => least(floor(total / 86400), 999999998)::integer, secs => total - floor(total / 86400) * 86400)
FROM statuses
WHERE 'statuses' = ANY (wanted)
UNION ALL
SELECT 'closing', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, issues, make_interval(secs => shares[1]),
       make_interval(secs => shares[2]), make_interval(secs => shares[3]), NULL
FROM closing
WHERE 'closing' = ANY (wanted)
$$;

GRANT EXECUTE ON FUNCTION ims.life_figures(text[], text, timestamptz, timestamptz, text, timestamptz)
    TO ims_app, ims_user, ims_readonly, ims_admin;

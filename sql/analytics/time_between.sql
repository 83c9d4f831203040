-- How long issues took from one status to another: from when an issue first came into from_word until it first came into
-- to_word after that, whatever lay between. Of those that arrived within the given time; no issues: no intervals.
--
--   from_word, to_word  the tracker's own words, in whatever case
--   product             a product, or the beginning of several's names; NULL: all
--   to_ts               not included; NULL: no end
CREATE OR REPLACE FUNCTION ims.time_between(
    from_word text, to_word text, product text DEFAULT NULL, from_ts timestamptz DEFAULT NULL, to_ts timestamptz DEFAULT NULL
) RETURNS TABLE (issues bigint, p50 interval, p90 interval, p99 interval)
LANGUAGE sql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH word AS MATERIALIZED (
    SELECT ims.plain_status(time_between.from_word) AS begun, ims.plain_status(time_between.to_word) AS ended
), span AS MATERIALIZED (
    SELECT span.issue_pk, span.status, span.entered_at
    FROM ims.status_spans(time_between.product) AS span
    WHERE span.status IS NOT NULL
), meaning AS MATERIALIZED (  -- of few words, looked up once each
    SELECT words.status, plain = begun AS is_begun, plain = ended AS is_ended
    FROM (SELECT DISTINCT status FROM span) AS words
    CROSS JOIN LATERAL (SELECT ims.plain_status(words.status) AS plain) AS one
    CROSS JOIN word
    WHERE plain IN (begun, ended)
), begun AS (
    SELECT span.issue_pk, min(span.entered_at) AS at
    FROM span JOIN meaning USING (status)
    WHERE is_begun
    GROUP BY span.issue_pk
), taken AS (
    SELECT min(span.entered_at) AS ended_at, date_part('epoch', min(span.entered_at) - begun.at) AS seconds
    FROM begun JOIN span USING (issue_pk) JOIN meaning USING (status)
    WHERE is_ended AND (span.entered_at > begun.at OR span.entered_at = begun.at AND NOT is_begun)
    GROUP BY span.issue_pk, begun.at
)
SELECT count(*), make_interval(secs => percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)),
       make_interval(secs => percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)),
       make_interval(secs => percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds))
FROM taken
WHERE ended_at >= coalesce(from_ts, '-infinity') AND ended_at < coalesce(to_ts, 'infinity')
$$;

GRANT EXECUTE ON FUNCTION ims.time_between(text, text, text, timestamptz, timestamptz)
    TO ims_app, ims_user, ims_readonly, ims_admin;

-- Work out the summaries behind v_daily_summary and v_weekly_summary: everybody's where an admin asks, else one's own. They
-- are tables with an owner column and row security, not materialised views, which have none. Only what changed is written,
-- and readers are never kept waiting.
CREATE OR REPLACE FUNCTION ims.refresh_materialized_views() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
BEGIN
    PERFORM ims.lock_refresh();  -- one refresh of a user's at a time
    WITH event AS (
        SELECT issue.user_id, coalesce(issue.product, '') AS product, (span.entered_at AT TIME ZONE 'UTC')::date AS day,
               (span.previous_state IS NULL)::integer AS created,
               (span.state = 'done' AND span.previous_state <> 'done')::integer AS closed,
               (span.state <> 'done' AND span.previous_state = 'done')::integer AS reopened
        FROM ims.status_spans() AS span
        JOIN ims.issues issue USING (issue_pk)
        WHERE isfinite(span.entered_at)
    ), daily AS MATERIALIZED (
        SELECT user_id, product, day, sum(created) AS created, coalesce(sum(closed), 0) AS closed,
               coalesce(sum(reopened), 0) AS reopened
        FROM event
        GROUP BY 1, 2, 3
        HAVING sum(created) > 0 OR sum(closed) > 0 OR sum(reopened) > 0
    ), fresh AS MATERIALIZED (
        SELECT user_id, 'day' AS period, day AS period_start, product, created, closed, reopened
        FROM daily
        UNION ALL
        SELECT user_id, 'week', date_trunc('week', day::timestamp)::date, product, sum(created), sum(closed), sum(reopened)
        FROM daily
        GROUP BY 1, 3, 4
    ), gone AS (
        UPDATE ims.issue_summaries stored SET created = 0, closed = 0, reopened = 0  -- personal logins delete nothing
        WHERE (stored.created, stored.closed, stored.reopened) <> (0, 0, 0) AND NOT EXISTS (
            SELECT FROM fresh
            WHERE (fresh.user_id, fresh.period, fresh.period_start, fresh.product)
                = (stored.user_id, stored.period, stored.period_start, stored.product))
    )
    INSERT INTO ims.issue_summaries AS stored (user_id, period, period_start, product, created, closed, reopened)
    SELECT user_id, period, period_start, product, created, closed, reopened
    FROM fresh
    ORDER BY user_id, period, period_start, product
    ON CONFLICT (user_id, period, period_start, product) DO UPDATE
    SET created = excluded.created, closed = excluded.closed, reopened = excluded.reopened
    WHERE (stored.created, stored.closed, stored.reopened) <> (excluded.created, excluded.closed, excluded.reopened);

    INSERT INTO ims.summary_refreshes (user_id, refreshed_at)
    SELECT person.user_id, now() FROM ims.users person ORDER BY person.user_id
    ON CONFLICT (user_id) DO UPDATE SET refreshed_at = excluded.refreshed_at;
END
$$;

GRANT EXECUTE ON FUNCTION ims.refresh_materialized_views() TO ims_app, ims_user, ims_admin;

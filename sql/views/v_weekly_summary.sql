-- Issues created, closed and reopened by week and product, as of refreshed_at; ims.refresh_materialized_views() brings it up to
-- date, ims.issue_flow() always is.
CREATE OR REPLACE VIEW ims.v_weekly_summary WITH (security_invoker = true, security_barrier = true) AS
SELECT summary.user_id, summary.period_start AS week, nullif(summary.product, '') AS product, summary.created, summary.closed,
       summary.reopened, refresh.refreshed_at
FROM ims.issue_summaries summary
JOIN ims.summary_refreshes refresh USING (user_id)
WHERE summary.period = 'week' AND (summary.created, summary.closed, summary.reopened) <> (0, 0, 0);

GRANT SELECT ON ims.v_weekly_summary TO ims_app, ims_user, ims_readonly, ims_admin;

-- A row for each product of each user: how many issues, in what state, from when to when. Issues that are gone do not count;
-- those whose status nobody could place (v_tracker_states) count as open.
CREATE OR REPLACE VIEW ims.v_product_stats WITH (security_invoker = true, security_barrier = true) AS
SELECT issue.user_id, issue.product, count(*) AS issues, count(*) FILTER (WHERE issue.state <> 'done') AS open_issues,
       count(*) FILTER (WHERE issue.state = 'in_progress') AS in_progress_issues,
       count(*) FILTER (WHERE issue.state = 'done') AS closed_issues, count(DISTINCT issue.module) AS modules,
       count(DISTINCT issue.customer) AS customers, min(issue.registered_date) AS first_registered,
       max(issue.registered_date) AS last_registered, max(issue.modified_date) AS last_modified,
       count(*) FILTER (WHERE issue.state = 'unknown') AS unplaced_issues
FROM ims.issues issue
WHERE issue.removed_at IS NULL
GROUP BY issue.user_id, issue.product;

GRANT SELECT ON ims.v_product_stats TO ims_app, ims_user, ims_readonly, ims_admin;

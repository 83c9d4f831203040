-- The statuses of each issue with the time in which each held, a row a status (a slowly changing dimension): how an issue was
-- at a moment is the row whose time holds it. From ims.status_spans, without those that held for no time.
--
--   valid_from, valid_to  valid_to is not included; NULL: it still holds. Where an issue is gone, its last row ends then
CREATE OR REPLACE VIEW ims.v_issue_states WITH (security_invoker = true, security_barrier = true) AS
SELECT issue.user_id, tracker.name AS tracker, span.issue_pk, issue.issue_id, issue.product, span.status, span.state,
       span.entered_at AS valid_from, span.left_at AS valid_to
FROM ims.status_spans() AS span
JOIN ims.issues issue USING (issue_pk)
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE span.left_at IS DISTINCT FROM span.entered_at;

GRANT SELECT ON ims.v_issue_states TO ims_app, ims_user, ims_readonly, ims_admin;

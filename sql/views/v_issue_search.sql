-- Issues that are still there, flat, for the filters of a reporting tool; ims.search_issues() finds words faster.
CREATE OR REPLACE VIEW ims.v_issue_search WITH (security_invoker = true, security_barrier = true) AS
SELECT issue.issue_pk, issue.user_id, tracker.name AS tracker, issue.issue_id, issue.url, issue.title, issue.description,
       issue.product, issue.module, issue.status, issue.state, issue.priority, issue.severity, issue.issue_type,
       issue.reporter, issue.owner, issue.manager, issue.customer, issue.project_name, issue.found_version,
       issue.fixed_version, issue.target_version, issue.registered_date, issue.modified_date, issue.closed_date,
       issue.last_crawled_at,
       (SELECT count(*) FROM ims.issue_comments said
        WHERE said.issue_pk = issue.issue_pk AND said.user_id = issue.user_id AND said.removed_at IS NULL) AS comments,
       (SELECT count(*) FROM ims.attachments file
        WHERE file.issue_pk = issue.issue_pk AND file.user_id = issue.user_id AND file.removed_at IS NULL) AS attachments
FROM ims.issues issue
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE issue.removed_at IS NULL;

GRANT SELECT ON ims.v_issue_search TO ims_app, ims_user, ims_readonly, ims_admin;

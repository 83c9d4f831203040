-- What happened to issues, a row each, for reporting tools: sort it by happened_at, which is NULL where the tracker tells no time.
--
--   kind       opened, changed, commented, attached; vanished: the issue, a comment or a file is no longer at the tracker,
--              as of the crawl that saw it
--   field      of a change the tracker's name of what changed; 'comment 3', 'attachment'; NULL: the issue itself
--   old_value, new_value   of a change; the text of a comment and the name of a file, old where it is gone; of an issue that
--              vanished why (deleted, moved, denied), as the new one
CREATE OR REPLACE VIEW ims.v_issue_events WITH (security_invoker = true, security_barrier = true) AS
WITH event AS (
    SELECT issue.user_id, issue.issue_pk, coalesce(issue.registered_date, issue.first_crawled_at) AS happened_at,
           'opened' AS kind, issue.reporter AS author, NULL AS field, NULL AS old_value, NULL AS new_value
    FROM ims.issues issue
    UNION ALL
    SELECT change.user_id, change.issue_pk, change.changed_at, 'changed', change.changed_by,
           coalesce(change.field_name, change.change_type), change.old_value, coalesce(change.new_value, change.description)
    FROM ims.issue_history change
    UNION ALL
    SELECT said.user_id, said.issue_pk, said.commented_at, 'commented', said.author, concat_ws(' ', 'comment', said.comment_number),
           NULL, said.content
    FROM ims.issue_comments said
    UNION ALL
    SELECT file.user_id, file.issue_pk, file.attached_at, 'attached', file.author, 'attachment', NULL, file.filename
    FROM ims.attachments file
    UNION ALL
    SELECT issue.user_id, issue.issue_pk, issue.removed_at, 'vanished', NULL, NULL, NULL, issue.removed_reason
    FROM ims.issues issue
    WHERE issue.removed_at IS NOT NULL
    UNION ALL
    SELECT said.user_id, said.issue_pk, said.removed_at, 'vanished', NULL, concat_ws(' ', 'comment', said.comment_number),
           said.content, NULL
    FROM ims.issue_comments said
    WHERE said.removed_at IS NOT NULL
    UNION ALL
    SELECT file.user_id, file.issue_pk, file.removed_at, 'vanished', NULL, 'attachment', file.filename, NULL
    FROM ims.attachments file
    WHERE file.removed_at IS NOT NULL
)
SELECT event.user_id, tracker.name AS tracker, event.issue_pk, issue.issue_id, issue.product, event.happened_at, event.kind,
       event.author, event.field, event.old_value, event.new_value
FROM event
JOIN ims.issues issue ON issue.issue_pk = event.issue_pk AND issue.user_id = event.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id;

GRANT SELECT ON ims.v_issue_events TO ims_app, ims_user, ims_readonly, ims_admin;

-- issues --
-- What is exported of issues, the oldest numbers first; those that are gone too, which removed_at tells.
SELECT tracker.name AS tracker, issue.issue_id, issue.url, issue.title, issue.description, issue.product, issue.status,
       issue.state, issue.priority, issue.severity, issue.issue_type, issue.reporter, issue.owner, issue.manager,
       issue.registered_date, issue.modified_date, issue.closed_date, issue.project_code, issue.project_name, issue.site,
       issue.customer, issue.module, issue.found_version, issue.fixed_version, issue.target_version,
       issue.full_data, issue.first_crawled_at, issue.last_crawled_at, issue.removed_at,
       issue.removed_reason,
       (SELECT string_agg(file.filename, '; ' ORDER BY file.attached_at, file.attachment_id) FROM ims.attachments file
        WHERE file.issue_pk = issue.issue_pk AND file.user_id = issue.user_id AND file.removed_at IS NULL) AS attachments
FROM ims.issues issue
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE %(tracker)s::text IS NULL OR tracker.name = %(tracker)s
ORDER BY issue.issue_pk

-- issues_of_everybody --
-- The same with the name of the user whose each row is.
SELECT tracker.name AS tracker, issue.issue_id, issue.url, issue.title, issue.description, issue.product, issue.status,
       issue.state, issue.priority, issue.severity, issue.issue_type, issue.reporter, issue.owner, issue.manager,
       issue.registered_date, issue.modified_date, issue.closed_date, issue.project_code, issue.project_name, issue.site,
       issue.customer, issue.module, issue.found_version, issue.fixed_version, issue.target_version,
       issue.full_data, issue.first_crawled_at, issue.last_crawled_at, issue.removed_at,
       issue.removed_reason,
       (SELECT string_agg(file.filename, '; ' ORDER BY file.attached_at, file.attachment_id) FROM ims.attachments file
        WHERE file.issue_pk = issue.issue_pk AND file.user_id = issue.user_id AND file.removed_at IS NULL) AS attachments, person.username AS owner_user
FROM ims.issues issue
JOIN ims.users person ON person.user_id = issue.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE %(tracker)s::text IS NULL OR tracker.name = %(tracker)s
ORDER BY issue.issue_pk

-- comments --
-- What is exported of comments, issue by issue.
SELECT tracker.name AS tracker, issue.issue_id, said.comment_number, said.author, said.content, said.commented_at,
       said.is_private, said.removed_at
FROM ims.issue_comments said
JOIN ims.issues issue ON issue.issue_pk = said.issue_pk AND issue.user_id = said.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE %(tracker)s::text IS NULL OR tracker.name = %(tracker)s
ORDER BY said.issue_pk, said.comment_number, said.comment_id

-- comments_of_everybody --
-- The same with the name of the user whose each row is.
SELECT tracker.name AS tracker, issue.issue_id, said.comment_number, said.author, said.content, said.commented_at,
       said.is_private, said.removed_at, person.username AS owner_user
FROM ims.issue_comments said
JOIN ims.issues issue ON issue.issue_pk = said.issue_pk AND issue.user_id = said.user_id
JOIN ims.users person ON person.user_id = issue.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE %(tracker)s::text IS NULL OR tracker.name = %(tracker)s
ORDER BY said.issue_pk, said.comment_number, said.comment_id

-- history --
-- What is exported of the history, issue by issue.
SELECT tracker.name AS tracker, issue.issue_id, change.position, change.changed_by, change.changed_at, change.change_type,
       change.field_name, change.old_value, change.new_value, change.description
FROM ims.issue_history change
JOIN ims.issues issue ON issue.issue_pk = change.issue_pk AND issue.user_id = change.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE %(tracker)s::text IS NULL OR tracker.name = %(tracker)s
ORDER BY change.issue_pk, change.changed_at, change.position, change.history_id

-- history_of_everybody --
-- The same with the name of the user whose each row is.
SELECT tracker.name AS tracker, issue.issue_id, change.position, change.changed_by, change.changed_at, change.change_type,
       change.field_name, change.old_value, change.new_value, change.description, person.username AS owner_user
FROM ims.issue_history change
JOIN ims.issues issue ON issue.issue_pk = change.issue_pk AND issue.user_id = change.user_id
JOIN ims.users person ON person.user_id = issue.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id AND tracker.user_id = issue.user_id
WHERE %(tracker)s::text IS NULL OR tracker.name = %(tracker)s
ORDER BY change.issue_pk, change.changed_at, change.position, change.history_id

-- found --
-- The issues of a number or key, one's own first, with their trackers and owners.
SELECT issue.issue_pk, issue.user_id, tracker.name AS tracker, owner.username AS owner_user
FROM ims.issues issue
JOIN ims.users owner ON owner.user_id = issue.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id
WHERE issue.issue_id = %(issue_id)s AND (%(tracker)s::text IS NULL OR tracker.name = %(tracker)s)
ORDER BY issue.user_id = ims.current_user_id() DESC, issue.issue_pk

-- issue --
SELECT issue_pk, user_id, tracker_id, issue_id, url, title, description, product, status, state, priority,
       severity, issue_type, reporter, owner, manager, registered_date, modified_date, closed_date,
       project_code, project_name, site, customer, module, found_version, fixed_version, target_version,
       full_data, first_crawled_at, last_crawled_at, crawl_count, removed_at, removed_reason
FROM ims.issues WHERE issue_pk = %(issue_pk)s

-- comments --
SELECT comment_id, issue_pk, user_id, source_key, comment_number, author, content, commented_at, is_private,
       removed_at
FROM ims.issue_comments WHERE issue_pk = %(issue_pk)s
ORDER BY comment_number, commented_at, comment_id

-- history --
SELECT history_id, issue_pk, user_id, source_key, position, changed_by, changed_at, change_type, field_name,
       old_value, new_value, description
FROM ims.issue_history WHERE issue_pk = %(issue_pk)s
ORDER BY changed_at, position, history_id

-- attachments --
SELECT attachment_id, issue_pk, user_id, source_key, filename, file_type, file_size, sha256, file_path,
       download_url, downloaded, download_error, extracted_text, text_extracted, author, attached_at,
       description, removed_at
FROM ims.attachments WHERE issue_pk = %(issue_pk)s
ORDER BY attached_at, attachment_id

-- relations --
SELECT relation_id, issue_pk, user_id, related_issue_id, relation_type, title, removed_at
FROM ims.issue_relations WHERE issue_pk = %(issue_pk)s
ORDER BY relation_id

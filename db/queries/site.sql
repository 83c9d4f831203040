-- places --
-- Every issue with what its file is named after.
SELECT issue.issue_pk, issue.issue_id, issue.url, tracker.name AS tracker
FROM ims.issues issue
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id
WHERE %(tracker)s::text IS NULL OR tracker.name = %(tracker)s
ORDER BY issue.issue_pk

-- issues --
SELECT issue_pk, user_id, tracker_id, issue_id, url, title, description, product, status, state, priority,
       severity, issue_type, reporter, owner, manager, registered_date, modified_date, closed_date,
       project_code, project_name, site, customer, module, found_version, fixed_version, target_version,
       full_data, first_crawled_at, last_crawled_at, crawl_count, removed_at, removed_reason
FROM ims.issues WHERE issue_pk = ANY(%(keys)s) ORDER BY issue_pk

-- comments --
SELECT issue_pk, comment_number, author, content, commented_at, is_private, removed_at
FROM ims.issue_comments WHERE issue_pk = ANY(%(keys)s)
ORDER BY issue_pk, comment_number, commented_at, comment_id

-- history --
SELECT issue_pk, changed_by, changed_at, change_type, field_name, old_value, new_value, description
FROM ims.issue_history WHERE issue_pk = ANY(%(keys)s)
ORDER BY issue_pk, changed_at, position, history_id

-- attachments --
SELECT file.issue_pk, file.attachment_id, file.filename, file.file_type, file.file_size, file.announced_size, file.sha256,
       file.downloaded, file.download_error, file.download_skipped, file.extracted_text, file.text_extracted, file.text_error,
       file.author, file.attached_at, file.removed_at, told.kind, '{}'::text[] AS also_in
FROM ims.attachments file
LEFT JOIN ims.file_texts told ON told.user_id = file.user_id AND told.sha256 = file.sha256 AND file.downloaded
WHERE file.issue_pk = ANY(%(keys)s)
ORDER BY file.issue_pk, file.attached_at, file.attachment_id

-- relations --
SELECT issue_pk, related_issue_id, relation_type, title, removed_at
FROM ims.issue_relations WHERE issue_pk = ANY(%(keys)s)
ORDER BY issue_pk, relation_id

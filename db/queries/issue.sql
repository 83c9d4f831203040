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
-- With what was found in their bytes, and a few of the same user's other issues that have the same bytes.
SELECT file.attachment_id, file.issue_pk, file.user_id, file.source_key, file.filename, file.file_type, file.file_size,
       file.announced_size, file.sha256, file.file_path, file.download_url, file.downloaded, file.download_error,
       file.download_skipped, file.extracted_text, file.text_extracted, file.text_error, file.author, file.attached_at,
       file.description, file.removed_at, told.kind, told.members, told.capped,
       ARRAY(SELECT DISTINCT other.issue_id
             FROM (SELECT same.issue_pk FROM ims.attachments same
                   WHERE same.user_id = file.user_id AND same.sha256 = file.sha256 AND same.issue_pk <> file.issue_pk
                     AND same.downloaded AND same.removed_at IS NULL
                   ORDER BY same.issue_pk LIMIT 20) AS has
             JOIN ims.issues other ON other.issue_pk = has.issue_pk AND other.user_id = file.user_id
             ORDER BY other.issue_id) AS also_in
FROM ims.attachments file
LEFT JOIN ims.file_texts told ON told.user_id = file.user_id AND told.sha256 = file.sha256 AND file.downloaded
WHERE file.issue_pk = %(issue_pk)s
ORDER BY file.attached_at, file.attachment_id

-- file_text --
SELECT member, first_line, line_numbers, content
FROM ims.file_text_parts WHERE user_id = %(user_id)s AND sha256 = %(sha256)s
ORDER BY position

-- state_of_word --
-- What a status of an issue means: what its owner says, else what is told of the issue where it is in it now, else what is
-- known of the word.
SELECT coalesce((SELECT own.state FROM ims.tracker_states own
                 WHERE own.user_id = issue.user_id AND own.tracker_id = issue.tracker_id
                   AND ims.plain_status(own.word) = ims.plain_status(%(word)s) LIMIT 1),
                CASE WHEN lower(issue.status) = lower(%(word)s) AND issue.state <> 'unknown' THEN issue.state END,
                ims.state_of(%(word)s))
FROM ims.issues issue WHERE issue_pk = %(issue_pk)s

-- relations --
SELECT relation_id, issue_pk, user_id, related_issue_id, relation_type, title, removed_at
FROM ims.issue_relations WHERE issue_pk = %(issue_pk)s
ORDER BY relation_id

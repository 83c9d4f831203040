-- begin --
-- The loader fills the search vector itself; the triggers of the crawl's tables then have nothing to do.
-- Rows are found by their keys, whose pages a crawl has in memory: the default cost of a random page
-- would read whole tables instead.
SELECT set_config('ims.bulk', 'on', true), set_config('random_page_cost', '1.1', true), set_config('jit', 'off', true)

-- end --
SELECT set_config('ims.bulk', 'off', true)

-- lock_tracker --
-- One loader at a time for a user's tracker: what is compared with the stored rows is still true when it
-- is written.
SELECT FROM ims.trackers WHERE user_id = %(user_id)s AND tracker_id = %(tracker_id)s FOR NO KEY UPDATE

-- analyze --
SELECT ims.analyze_tables()

-- known --
-- What is stored of these issues, looked up one by one: the server does not know how many rows an owner has, and might
-- go through all of them. A rival is a row that was written after our session began.
WITH known AS (
    SELECT issue.*
    FROM unnest(%(issue_ids)b::text[]) AS wanted (issue_id)
    CROSS JOIN LATERAL (
        SELECT issue_id, issue_pk, content_hash, last_crawled_at, removed_at
        FROM ims.issues
        WHERE user_id = %(user_id)s AND tracker_id = %(tracker_id)s AND issue_id = wanted.issue_id OFFSET 0
    ) issue
    UNION ALL
    SELECT issue.*
    FROM unnest(%(issue_ids)b::text[]) AS wanted (issue_id)
    CROSS JOIN LATERAL (
        SELECT issue_id, issue_pk, content_hash, last_crawled_at, removed_at
        FROM ims.issues
        WHERE %(tracker_id)s::bigint IS NULL
          AND user_id = %(user_id)s AND tracker_id IS NULL AND issue_id = wanted.issue_id OFFSET 0
    ) issue
)
SELECT issue_id, issue_pk, content_hash, last_crawled_at, removed_at IS NOT NULL,
       last_crawled_at > coalesce(
           (SELECT started_at FROM ims.crawl_sessions WHERE session_id = %(session_id)s), '-infinity')
FROM known

-- reinstate --
-- Issues that a census called removed while their pages were fetched: they are there.
UPDATE ims.issues
SET removed_at = NULL, removed_reason = NULL
WHERE user_id = %(user_id)s AND issue_pk = ANY (%(issue_pks)s)

-- count_children --
SELECT (SELECT count(*) FROM ims.issue_comments
        WHERE user_id = %(user_id)s AND issue_pk = ANY (%(issue_pks)s) AND removed_at IS NULL),
       (SELECT count(*) FROM ims.issue_history
        WHERE user_id = %(user_id)s AND issue_pk = ANY (%(issue_pks)s) AND change_type <> 'observed')

-- remember --
-- The issues' fields before they are written over.
INSERT INTO pg_temp.stage_before (issue_pk, fields)
SELECT issue_pk, jsonb_build_object(
           'title', title, 'description', description, 'product', product, 'status', status,
           'priority', priority, 'severity', severity, 'issue_type', issue_type, 'reporter', reporter,
           'owner', owner, 'manager', manager, 'project_code', project_code, 'project_name', project_name,
           'site', site, 'customer', customer, 'module', module, 'found_version', found_version,
           'fixed_version', fixed_version, 'target_version', target_version, 'full_data', full_data)
FROM ims.issues
WHERE issue_pk = ANY (%(issue_pks)s)

-- save_issues --
-- In the order of their keys, so that two writers never wait for each other. A returned issue is none
-- that was removed.
INSERT INTO ims.issues AS stored (
    user_id, tracker_id, issue_id, url, title, description, product, status, state, priority, severity,
    issue_type, reporter, owner, manager, registered_date, modified_date, closed_date, project_code,
    project_name, site, customer, module, found_version, fixed_version, target_version, full_data,
    content_hash, first_crawled_at, last_crawled_at, search_vector)
SELECT
    %(user_id)s, %(tracker_id)s, issue_id, url, title, description, product, status, state, priority, severity,
    issue_type, reporter, owner, manager, registered_date, modified_date, closed_date, project_code,
    project_name, site, customer, module, found_version, fixed_version, target_version, full_data::jsonb,
    content_hash, least(observed_at, clock_timestamp()), least(observed_at, clock_timestamp()),
    ims.document_vector(%(user_id)s, title, description, comments, concat_ws(E'\n', file_words, (
        -- As ims.file_words has it: a text that somebody entered by hand.
        SELECT string_agg(file.extracted_text, E'\n' ORDER BY file.attachment_id)
        FROM ims.attachments file
        WHERE file.issue_pk = known_pk AND file.source_key = ANY (attachment_keys)
          AND file.extracted_text IS NOT NULL AND NOT file.text_extracted)))
FROM (SELECT * FROM pg_temp.stage_issue ORDER BY issue_id COLLATE "C" OFFSET 0) AS staged
ON CONFLICT (user_id, tracker_id, issue_id) DO UPDATE SET
    url = excluded.url,
    title = excluded.title,
    description = excluded.description,
    product = excluded.product,
    status = excluded.status,
    state = excluded.state,
    tracker_state = excluded.tracker_state,
    priority = excluded.priority,
    severity = excluded.severity,
    issue_type = excluded.issue_type,
    reporter = excluded.reporter,
    owner = excluded.owner,
    manager = excluded.manager,
    registered_date = excluded.registered_date,
    modified_date = excluded.modified_date,
    closed_date = excluded.closed_date,
    project_code = excluded.project_code,
    project_name = excluded.project_name,
    site = excluded.site,
    customer = excluded.customer,
    module = excluded.module,
    found_version = excluded.found_version,
    fixed_version = excluded.fixed_version,
    target_version = excluded.target_version,
    full_data = excluded.full_data,
    content_hash = excluded.content_hash,
    last_crawled_at = excluded.last_crawled_at,
    crawl_count = stored.crawl_count + 1,
    removed_at = NULL,
    removed_reason = NULL,
    search_vector = excluded.search_vector
RETURNING issue_id, issue_pk

-- observe_fields --
-- What changed since the last crawl and the tracker's history does not tell: none of its entries that are
-- new to us has the field's new value. An entry whose field we cannot place may speak of any field.
INSERT INTO ims.issue_history (
    user_id, issue_pk, source_key, changed_at, change_type, field_name, old_value, new_value)
SELECT %(user_id)s, issue_pk,
       'observed:' || crawl_count || ':field:' || row_number() OVER (PARTITION BY issue_pk ORDER BY field, is_extra),
       changed_at, 'observed', field, old_value, new_value
FROM (
    SELECT before.issue_pk, issue.crawl_count, issue.last_crawled_at AS changed_at, pair.*
    FROM pg_temp.stage_before before
    JOIN pg_temp.stage_issue staged ON staged.known_pk = before.issue_pk
    JOIN LATERAL (
        SELECT crawl_count, last_crawled_at FROM ims.issues WHERE issue_pk = before.issue_pk OFFSET 0
    ) issue ON true
    CROSS JOIN LATERAL (
        SELECT key AS field, false AS is_extra, old.value #>> '{}' AS old_value, fresh.value #>> '{}' AS new_value
        FROM jsonb_each(before.fields - 'full_data') old
        JOIN jsonb_each(jsonb_build_object(
            'title', staged.title, 'description', staged.description, 'product', staged.product,
            'status', staged.status, 'priority', staged.priority, 'severity', staged.severity,
            'issue_type', staged.issue_type, 'reporter', staged.reporter, 'owner', staged.owner,
            'manager', staged.manager, 'project_code', staged.project_code,
            'project_name', staged.project_name, 'site', staged.site, 'customer', staged.customer,
            'module', staged.module, 'found_version', staged.found_version,
            'fixed_version', staged.fixed_version, 'target_version', staged.target_version)) fresh USING (key)
        UNION ALL
        SELECT key, true, old.value #>> '{}', fresh.value #>> '{}'
        FROM jsonb_each(before.fields -> 'full_data') old
        FULL JOIN jsonb_each(staged.full_data::jsonb) fresh USING (key)
        WHERE key <> %(names)s
    ) pair
    WHERE pair.old_value IS DISTINCT FROM pair.new_value
) observed
WHERE NOT EXISTS (
    SELECT
    FROM pg_temp.stage_change told
    WHERE told.issue_pk = observed.issue_pk
      AND coalesce(lower(btrim(told.new_value)), '') = coalesce(lower(btrim(observed.new_value)), '')
      AND (told.field_name = observed.field
           OR told.field = observed.field
           OR (told.field IS NULL AND observed.new_value <> ''))
      AND NOT EXISTS (
          SELECT FROM ims.issue_history old
          WHERE old.issue_pk = told.issue_pk AND old.source_key = told.source_key AND old.user_id = %(user_id)s
            AND old.issue_pk = ANY (%(issue_pks)s))
)

-- observe_comments --
-- The former text of a comment that was edited.
INSERT INTO ims.issue_history (
    user_id, issue_pk, source_key, changed_at, change_type, field_name, old_value, new_value)
SELECT %(user_id)s, issue.issue_pk,
       'observed:' || issue.crawl_count || ':comment:' || row_number() OVER (PARTITION BY issue.issue_pk),
       issue.last_crawled_at, 'observed', 'comment ' || coalesce(stored.comment_number::text, stored.source_key),
       stored.content, staged.content
FROM pg_temp.stage_comment staged
JOIN ims.issue_comments stored
  ON stored.issue_pk = staged.issue_pk AND stored.source_key = staged.source_key AND stored.user_id = %(user_id)s
JOIN ims.issues issue ON issue.issue_pk = stored.issue_pk
WHERE stored.issue_pk = ANY (%(issue_pks)s) AND issue.issue_pk = ANY (%(issue_pks)s)
  AND stored.content IS DISTINCT FROM staged.content

-- bury_comments --
UPDATE ims.issue_comments stored
SET removed_at = clock_timestamp()
WHERE stored.issue_pk = ANY (%(issue_pks)s) AND stored.removed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM pg_temp.stage_comment staged
      WHERE staged.issue_pk = stored.issue_pk AND staged.source_key = stored.source_key)

-- bury_attachments --
UPDATE ims.attachments stored
SET removed_at = clock_timestamp()
WHERE stored.issue_pk = ANY (%(issue_pks)s) AND stored.removed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM pg_temp.stage_attachment staged
      WHERE staged.issue_pk = stored.issue_pk AND staged.source_key = stored.source_key)

-- bury_relations --
UPDATE ims.issue_relations stored
SET removed_at = clock_timestamp()
WHERE stored.issue_pk = ANY (%(issue_pks)s) AND stored.removed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM pg_temp.stage_relation staged
      WHERE staged.issue_pk = stored.issue_pk AND staged.related_issue_id = stored.related_issue_id
        AND staged.relation_type = stored.relation_type)

-- save_comments --
INSERT INTO ims.issue_comments AS stored (
    user_id, issue_pk, source_key, comment_number, author, content, commented_at, is_private)
SELECT %(user_id)s, issue_pk, source_key, comment_number, author, content, commented_at, is_private
FROM pg_temp.stage_comment
ON CONFLICT (user_id, issue_pk, source_key) DO UPDATE SET
    comment_number = excluded.comment_number,
    author = excluded.author,
    content = excluded.content,
    commented_at = excluded.commented_at,
    is_private = excluded.is_private,
    removed_at = NULL
WHERE (stored.comment_number, stored.author, stored.content, stored.commented_at, stored.is_private, stored.removed_at)
      IS DISTINCT FROM (excluded.comment_number, excluded.author, excluded.content, excluded.commented_at,
                        excluded.is_private, NULL)

-- save_history --
-- Entries are never taken away: a tracker that forgets is no reason to forget with it.
INSERT INTO ims.issue_history AS stored (
    user_id, issue_pk, source_key, position, changed_by, changed_at, change_type, field_name, old_value,
    new_value, description)
SELECT %(user_id)s, issue_pk, source_key, position, changed_by, changed_at, change_type, field_name, old_value,
       new_value, description
FROM pg_temp.stage_change
ON CONFLICT (user_id, issue_pk, source_key) DO UPDATE SET
    position = excluded.position,
    changed_by = excluded.changed_by,
    changed_at = excluded.changed_at,
    change_type = excluded.change_type,
    field_name = excluded.field_name,
    old_value = excluded.old_value,
    new_value = excluded.new_value,
    description = excluded.description
WHERE (stored.position, stored.changed_by, stored.changed_at, stored.change_type, stored.field_name,
       stored.old_value, stored.new_value, stored.description)
      IS DISTINCT FROM (excluded.position, excluded.changed_by, excluded.changed_at, excluded.change_type,
                        excluded.field_name, excluded.old_value, excluded.new_value, excluded.description)

-- save_attachments --
-- What was downloaded and read of the file stays as it is, and so does what it turned out to be. One that the tracker
-- now tells another time or size of is another file.
INSERT INTO ims.attachments AS stored (
    user_id, issue_pk, source_key, filename, file_type, file_size, announced_size, download_url, author, attached_at,
    description)
SELECT %(user_id)s, issue_pk, source_key, filename, file_type, file_size, file_size, download_url, author, attached_at,
       description
FROM pg_temp.stage_attachment
ON CONFLICT (user_id, issue_pk, source_key) DO UPDATE SET
    filename = excluded.filename,
    file_type = coalesce(excluded.file_type, stored.file_type),
    file_size = CASE
        WHEN stored.downloaded
             AND stored.attached_at IS NOT DISTINCT FROM excluded.attached_at
             AND coalesce(excluded.announced_size, stored.announced_size, stored.file_size)
                 IS NOT DISTINCT FROM coalesce(stored.announced_size, stored.file_size)
        THEN stored.file_size
        ELSE excluded.announced_size
    END,
    announced_size = excluded.announced_size,
    download_url = excluded.download_url,
    author = excluded.author,
    attached_at = excluded.attached_at,
    description = excluded.description,
    downloaded = stored.downloaded
        AND stored.attached_at IS NOT DISTINCT FROM excluded.attached_at
        AND coalesce(excluded.announced_size, stored.announced_size, stored.file_size)
            IS NOT DISTINCT FROM coalesce(stored.announced_size, stored.file_size),
    removed_at = NULL
WHERE (stored.filename, stored.file_type, stored.announced_size, stored.download_url, stored.author,
       stored.attached_at, stored.description, stored.removed_at)
      IS DISTINCT FROM (excluded.filename, coalesce(excluded.file_type, stored.file_type), excluded.announced_size,
                        excluded.download_url, excluded.author, excluded.attached_at, excluded.description, NULL)

-- save_relations --
INSERT INTO ims.issue_relations AS stored (user_id, issue_pk, related_issue_id, relation_type, title)
SELECT %(user_id)s, issue_pk, related_issue_id, relation_type, title
FROM pg_temp.stage_relation
ON CONFLICT (user_id, issue_pk, related_issue_id, relation_type) DO UPDATE SET
    title = excluded.title,
    removed_at = NULL
WHERE (stored.title, stored.removed_at) IS DISTINCT FROM (excluded.title, NULL)

-- retitle_relations --
-- The last of two links of one kind to one issue counts, as where they are saved.
UPDATE ims.issue_relations stored
SET title = told.title
FROM (SELECT DISTINCT ON (issue_pk, related_issue_id, relation_type) *
      FROM unnest(%(issue_pks)b::bigint[], %(related)b::text[], %(types)b::text[], %(titles)b::text[])
           WITH ORDINALITY AS link (issue_pk, related_issue_id, relation_type, title, position)
      ORDER BY issue_pk, related_issue_id, relation_type, position DESC) AS told
WHERE stored.user_id = %(user_id)s AND stored.issue_pk = told.issue_pk
  AND stored.related_issue_id = told.related_issue_id AND stored.relation_type = told.relation_type
  AND stored.title IS DISTINCT FROM told.title

-- keep_pages --
-- Identical pages are kept once, with the time they were last seen: the newest page of a part is what the
-- issue was read from. Their bodies come as one: an array of them would be copied once more.
INSERT INTO ims.raw_pages AS stored (
    user_id, tracker_id, issue_id, part, url, content_type, status, body, size, sha256, fetched_at, session_id,
    quarantined, quarantine_reason)
SELECT %(user_id)s, %(tracker_id)s, page.issue_id, page.part, page.url, page.content_type, page.status,
       substring(%(bodies)b::bytea FROM page.start FOR page.length), page.size, page.sha256,
       least(page.fetched_at, statement_timestamp()), %(session_id)s, %(quarantine_reason)s::text IS NOT NULL,
       %(quarantine_reason)s
FROM unnest(%(issue_ids)b::text[], %(parts)b::text[], %(urls)b::text[], %(content_types)b::text[],
            %(statuses)b::smallint[], %(starts)b::integer[], %(lengths)b::integer[], %(sizes)b::integer[],
            %(hashes)b::bytea[], %(fetched)b::timestamptz[])
     AS page (issue_id, part, url, content_type, status, start, length, size, sha256, fetched_at)
ON CONFLICT (user_id, tracker_id, issue_id, part, sha256) DO UPDATE SET
    fetched_at = greatest(stored.fetched_at, excluded.fetched_at),
    quarantined = excluded.quarantined,
    quarantine_reason = excluded.quarantine_reason

-- tell_session --
-- That the session brought these issues, unchanged ones too.
INSERT INTO ims.session_issues AS stored (
    session_id, issue_pk, user_id, crawl_order, crawl_duration_ms, had_errors, error_message)
SELECT %(session_id)s, brought.issue_pk, %(user_id)s, brought.crawl_order, brought.duration, brought.had_errors,
       brought.message
FROM unnest(%(issue_pks)b::bigint[], %(orders)b::integer[], %(durations)b::integer[], %(had_errors)b::boolean[],
            %(messages)b::text[])
     AS brought (issue_pk, crawl_order, duration, had_errors, message)
ORDER BY brought.issue_pk
ON CONFLICT (user_id, session_id, issue_pk) DO UPDATE SET
    crawl_order = excluded.crawl_order,
    crawl_duration_ms = excluded.crawl_duration_ms,
    had_errors = excluded.had_errors,
    error_message = excluded.error_message
WHERE (stored.crawl_order, stored.crawl_duration_ms, stored.had_errors, stored.error_message)
      IS DISTINCT FROM (excluded.crawl_order, excluded.crawl_duration_ms, excluded.had_errors, excluded.error_message)

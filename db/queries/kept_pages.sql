-- headings --
-- What is kept of the next issues, without the pages' bytes; of each issue the latest first. An issue that is gone
-- from its tracker is left out: reading it again must not bring it back.
SELECT page.issue_id, page.raw_page_id, page.part, page.size, page.fetched_at, page.quarantined
FROM ims.raw_pages page
WHERE page.user_id = %(user_id)s AND page.tracker_id = %(tracker_id)s AND page.issue_id > %(after)s
  AND (%(issue_id)s::text IS NULL OR page.issue_id = %(issue_id)s)
  AND (%(session_id)s::bigint IS NULL
       OR page.session_id = %(session_id)s
       OR page.issue_id IN (
           SELECT found.issue_id FROM ims.session_frontier found WHERE found.session_id = %(session_id)s))
  AND (NOT %(quarantined)s
       OR page.issue_id IN (
           SELECT odd.issue_id FROM ims.raw_pages odd
           WHERE odd.user_id = %(user_id)s AND odd.tracker_id = %(tracker_id)s AND odd.quarantined))
  AND NOT EXISTS (
      SELECT FROM ims.issues gone
      WHERE gone.user_id = page.user_id AND gone.tracker_id = page.tracker_id AND gone.issue_id = page.issue_id
        AND gone.removed_at IS NOT NULL)
ORDER BY page.issue_id, page.fetched_at DESC, page.raw_page_id
LIMIT %(limit)s

-- pages --
SELECT raw_page_id, url, body, size, sha256, content_type, part, status, fetched_at
FROM ims.raw_pages
WHERE user_id = %(user_id)s AND raw_page_id = ANY (%(raw_page_ids)s)

-- release --
UPDATE ims.raw_pages
SET quarantined = false, quarantine_reason = NULL
WHERE user_id = %(user_id)s AND raw_page_id = ANY (%(raw_page_ids)s) AND quarantined

-- blame --
-- Says anew why a page in quarantine cannot be read.
UPDATE ims.raw_pages kept
SET quarantine_reason = told.reason
FROM unnest(%(raw_page_ids)s::bigint[], %(reasons)s::text[]) AS told (raw_page_id, reason)
WHERE kept.user_id = %(user_id)s AND kept.raw_page_id = told.raw_page_id AND kept.quarantined
  AND kept.quarantine_reason IS DISTINCT FROM told.reason

-- stored --
-- The fields of issues as they are before they are written over.
SELECT issue_id, url, title, description, product, status, coalesce(tracker_state, state) AS state, priority, severity,
       issue_type, reporter, owner, manager, registered_date, modified_date, closed_date, project_code, project_name,
       site, customer, module, found_version, fixed_version, target_version, full_data
FROM ims.issues
WHERE user_id = %(user_id)s AND tracker_id = %(tracker_id)s AND issue_id = ANY (%(issue_ids)s)

-- archive --
-- The next pages, oldest first, without their bytes.
SELECT page.issue_id, page.raw_page_id, page.part, page.size, page.fetched_at, page.quarantined
FROM ims.raw_pages page
WHERE page.user_id = %(user_id)s AND page.raw_page_id > %(after)s
  AND (%(tracker_id)s::bigint IS NULL OR page.tracker_id = %(tracker_id)s)
ORDER BY page.raw_page_id
LIMIT %(limit)s

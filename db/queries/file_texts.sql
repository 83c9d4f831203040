-- unread --
-- Files whose bytes are here and whose text is not, or was read by an older reader; each content once. Of a session, of a
-- tracker, or all of the user's.
SELECT DISTINCT ON (file.sha256) file.sha256, file.filename, file.file_type
FROM ims.attachments file
WHERE file.user_id = %(user_id)s AND file.sha256 IS NOT NULL AND file.downloaded AND file.removed_at IS NULL
  AND (%(session_id)s::bigint IS NULL OR EXISTS (
          SELECT FROM ims.session_issues found
          WHERE found.session_id = %(session_id)s AND found.user_id = %(user_id)s AND found.issue_pk = file.issue_pk
            AND found.crawl_order BETWEEN %(first)s AND %(last)s))
  AND (%(tracker_id)s::bigint IS NULL OR EXISTS (
          SELECT FROM ims.issues issue
          WHERE issue.user_id = %(user_id)s AND issue.issue_pk = file.issue_pk AND issue.tracker_id = %(tracker_id)s))
  AND (%(again)s OR NOT EXISTS (
          SELECT FROM ims.file_texts told
          WHERE told.user_id = file.user_id AND told.sha256 = file.sha256 AND told.reader >= %(reader)s))
ORDER BY file.sha256, file.attachment_id

-- save --
-- The row is locked until the commit: of two readers of the same bytes, the later one replaces all that the first wrote.
INSERT INTO ims.file_texts AS stored (
    user_id, sha256, kind, reader, error, members, characters, capped, codes, read_at)
VALUES (%(user_id)s, %(sha256)s, %(kind)s, %(reader)s, %(error)s, %(members)s, %(characters)s, %(capped)s, %(codes)s,
        clock_timestamp())
ON CONFLICT (user_id, sha256) DO UPDATE SET
    kind = excluded.kind,
    reader = excluded.reader,
    error = excluded.error,
    members = excluded.members,
    characters = excluded.characters,
    capped = excluded.capped,
    codes = excluded.codes,
    read_at = excluded.read_at

-- clear --
DELETE FROM ims.file_text_parts WHERE user_id = %(user_id)s AND sha256 = %(sha256)s

-- add --
INSERT INTO ims.file_text_parts (user_id, sha256, position, member, first_line, line_numbers, content)
VALUES (%s, %s, %s, %s, %s, %s, %s)

-- follow --
-- The rows of the files say what was read of their bytes: of one content, or wherever they say something else.
UPDATE ims.attachments file
SET text_extracted = said.extracted, text_error = said.error,
    extracted_text = (SELECT left(part.content, %(beginning)s) FROM ims.file_text_parts part
                      WHERE part.user_id = said.user_id AND part.sha256 = said.sha256
                      ORDER BY part.position LIMIT 1)
FROM (
    SELECT own.attachment_id, own.user_id, own.sha256, told.error, coalesce(told.characters > 0, false) AS extracted
    FROM ims.attachments own
    LEFT JOIN ims.file_texts told ON told.user_id = own.user_id AND told.sha256 = own.sha256
    WHERE own.user_id = %(user_id)s AND own.sha256 IS NOT NULL
      AND (own.sha256 = %(sha256)s OR %(sha256)s::text IS NULL)
) AS said
WHERE file.attachment_id = said.attachment_id AND file.user_id = %(user_id)s
  AND (%(sha256)s::text IS NOT NULL OR file.text_extracted <> said.extracted
       OR file.text_error IS DISTINCT FROM said.error)

-- forget --
DELETE FROM ims.file_texts told
WHERE told.user_id = %(user_id)s
  AND NOT EXISTS (SELECT FROM ims.attachments file WHERE file.user_id = told.user_id AND file.sha256 = told.sha256)

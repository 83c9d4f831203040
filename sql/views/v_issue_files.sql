-- A row for each file of each issue that is there, with what was read of it: the kind by its content, the characters that
-- are kept, the codes of errors in it. NULL and none where the file was not fetched or not read yet.
CREATE OR REPLACE VIEW ims.v_issue_files WITH (security_invoker = true, security_barrier = true) AS
SELECT file.user_id, file.issue_pk, file.attachment_id, file.filename, file.file_type, file.file_size, file.sha256,
       file.attached_at, file.author, file.downloaded, told.kind, told.characters, told.members, told.capped,
       coalesce(told.codes, '{}') AS codes, coalesce(file.download_error, told.error) AS error
FROM ims.attachments file
LEFT JOIN ims.file_texts told ON told.user_id = file.user_id AND told.sha256 = file.sha256
WHERE file.removed_at IS NULL
  AND EXISTS (SELECT FROM ims.issues issue
              WHERE issue.user_id = file.user_id AND issue.issue_pk = file.issue_pk AND issue.removed_at IS NULL);

GRANT SELECT ON ims.v_issue_files TO ims_app, ims_user, ims_readonly, ims_admin;

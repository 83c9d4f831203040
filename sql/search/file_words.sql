-- The words about an issue's files that the issue itself is found by: names and descriptions, and a text that somebody
-- entered by hand. What the program read in a file has vectors of its own (ims.file_text_parts).
CREATE OR REPLACE FUNCTION ims.file_words(wanted bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(concat_ws(E'\n', filename, description, CASE WHEN NOT text_extracted THEN extracted_text END), E'\n'
                  ORDER BY attachment_id)
FROM ims.attachments
WHERE issue_pk = wanted AND removed_at IS NULL
$$;

GRANT EXECUTE ON FUNCTION ims.file_words(bigint) TO ims_app, ims_user, ims_admin;

-- The issues with files that have a term, a row for each issue and term; the term by its place among those asked for.
--
-- Joins go by index from each text to its files, however many the planner believes there are.
--
--   in_files  a tsquery of each term, with the owner in it where it is one's own
--   whose     the owner, once more for the truth; NULL: everybody's
CREATE OR REPLACE FUNCTION ims_private.files_that_say(in_files tsquery[], whose integer)
RETURNS TABLE (issue_pk bigint, place integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT file.issue_pk, term.place::integer
    FROM unnest(in_files) WITH ORDINALITY AS term (words, place)
    CROSS JOIN LATERAL (
        SELECT DISTINCT text.user_id, text.sha256
        FROM ims.file_text_parts text
        WHERE text.search_vector @@ term.words AND (whose IS NULL OR text.user_id = whose)
        OFFSET 0
    ) AS text
    CROSS JOIN LATERAL (
        SELECT attached.issue_pk
        FROM ims.attachments attached
        WHERE attached.user_id = text.user_id AND attached.sha256 = text.sha256 AND attached.removed_at IS NULL
        OFFSET 0
    ) AS file;
END
$$;

REVOKE ALL ON FUNCTION ims_private.files_that_say(tsquery[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.files_that_say(tsquery[], integer) TO ims_searcher;

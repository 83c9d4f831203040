-- runs as: administrator
-- Stored vectors follow the functions that make them: where those changed, every vector is made anew. What they were
-- made by is kept as a comment. An administrator's work, for the owner sees no row; done here, when all functions are.
CREATE OR REPLACE FUNCTION ims_private.vectors_follow() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made_by CONSTANT text := (
        SELECT md5(string_agg(prosrc, '' ORDER BY proname))
        FROM pg_proc
        WHERE pronamespace = 'ims'::regnamespace
          AND proname IN ('document_vector', 'composed_text', 'spaced_text', 'name_parts', 'accent_variants', 'variant_key',
                          'stack_frames', 'file_words'));
BEGIN
    IF obj_description('ims.document_vector'::regproc) IS DISTINCT FROM made_by THEN
        SET LOCAL session_replication_role = replica;  -- no trigger: nothing happened to the issues
        UPDATE ims.issues AS issue SET search_vector = ims.document_vector(
            issue.user_id, issue.title, issue.description,
            (SELECT string_agg(content, E'\n' ORDER BY comment_id) FROM ims.issue_comments
             WHERE issue_pk = issue.issue_pk AND removed_at IS NULL),
            ims.file_words(issue.issue_pk));
        UPDATE ims.file_text_parts SET search_vector = ims.document_vector(user_id, member, NULL, NULL, content);
        SET LOCAL session_replication_role = DEFAULT;
        EXECUTE format('COMMENT ON FUNCTION ims.document_vector IS %L', made_by);
    END IF;
END
$$;

ALTER FUNCTION ims_private.vectors_follow() OWNER TO ims_owner;
REVOKE ALL ON FUNCTION ims_private.vectors_follow() FROM PUBLIC;
SELECT ims_private.vectors_follow();

-- runs as: administrator
-- Issues that are like a text, such as a stack trace or a message that somebody pasted, the most alike first; its first line
-- counts as a title does. One's own; everybody's where the transaction sees them (ims.sees_everybody). Otherwise it is
-- ims.similar_issues.
CREATE OR REPLACE FUNCTION ims.similar_to_text(pasted text, max_rows integer DEFAULT 10, only_open boolean DEFAULT false)
RETURNS TABLE (issue_pk bigint, score real, terms text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    me CONSTANT integer := ims.current_user_id();
    trimmed CONSTANT text := ltrim(left(pasted, 250000), E' \t\r\n');
BEGIN
    IF me IS NOT NULL THEN
        RETURN QUERY SELECT * FROM ims_private.alike(
            ims.document_vector(me, left(split_part(trimmed, E'\n', 1), 300), trimmed, NULL, NULL),
            CASE WHEN NOT ims.sees_everybody() THEN me END, NULL, NULL, NULL, only_open, max_rows);
    END IF;
END
$$;

ALTER FUNCTION ims.similar_to_text(text, integer, boolean) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.similar_to_text(text, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.similar_to_text(text, integer, boolean) TO ims_app, ims_user, ims_readonly, ims_admin;

-- Count the rows of freshly loaded tables for the planner: without that a first crawl's foreign-key checks may settle on
-- an index that reads all rows of a user. For the application only; a table that somebody else analyses is skipped.
-- Columns have no statistics, here and with autovacuum: they would tell of others' values.
CREATE OR REPLACE FUNCTION ims.analyze_tables() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT pg_has_role(session_user, 'ims_delegate', 'MEMBER') THEN
        RAISE EXCEPTION 'Only the application asks for this.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    ANALYZE (SKIP_LOCKED)
        ims.issues, ims.issue_comments, ims.issue_history, ims.issue_relations, ims.attachments, ims.file_texts,
        ims.file_text_parts, ims.raw_pages, ims.crawl_sessions, ims.session_issues, ims.session_frontier,
        ims.session_chunks, ims.session_errors;
END
$$;

GRANT EXECUTE ON FUNCTION ims.analyze_tables() TO ims_app, ims_user, ims_admin;

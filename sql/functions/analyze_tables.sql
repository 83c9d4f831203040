-- Give the planner figures about freshly loaded tables: without them a first crawl's foreign-key checks may settle on
-- an index that reads all rows of a user. For the application only; a table that somebody else analyses is skipped.
-- Keys only: they are what those checks go by, and a sample of long texts and vectors costs twenty times as much.
CREATE OR REPLACE FUNCTION ims.analyze_tables() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT pg_has_role(session_user, 'ims_delegate', 'MEMBER') THEN
        RAISE EXCEPTION 'Only the application asks for this.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    ANALYZE (SKIP_LOCKED)
        ims.issues (issue_pk, user_id, tracker_id, issue_id),
        ims.issue_comments (comment_id, issue_pk, user_id, source_key),
        ims.issue_history (history_id, issue_pk, user_id, source_key),
        ims.issue_relations (relation_id, issue_pk, user_id, related_issue_id),
        ims.attachments (attachment_id, issue_pk, user_id, source_key),
        ims.raw_pages (raw_page_id, user_id, tracker_id, issue_id),
        ims.crawl_sessions (session_id, user_id, tracker_id),
        ims.session_issues (session_id, issue_pk, user_id),
        ims.session_frontier (session_id, user_id, issue_id, position, state),
        ims.session_chunks (session_id, user_id, chunk_number),
        ims.session_errors (session_id, user_id);
END
$$;

GRANT EXECUTE ON FUNCTION ims.analyze_tables() TO ims_app, ims_user, ims_admin;

-- The tables whose rows are their owner's in the same way.
SELECT ims_private.protect_table('ims.trackers');
SELECT ims_private.protect_table('ims.tracker_states');
SELECT ims_private.protect_table('ims.crawl_sessions');
SELECT ims_private.protect_table('ims.session_frontier');
SELECT ims_private.protect_table('ims.session_issues');
SELECT ims_private.protect_table('ims.session_errors');
SELECT ims_private.protect_table('ims.raw_pages');
SELECT ims_private.protect_table('ims.issues');
SELECT ims_private.protect_table('ims.issue_comments');
SELECT ims_private.protect_table('ims.issue_history');
SELECT ims_private.protect_table('ims.issue_relations');
SELECT ims_private.protect_table('ims.attachments');
-- Bytes are kept under their hash, whoever's they are: whoever could say that a file of theirs has some hash would get the
-- bytes of another's. Only the program says so.
REVOKE INSERT (sha256, file_path, downloaded), UPDATE (sha256, file_path, downloaded) ON ims.attachments FROM ims_user;
GRANT INSERT (sha256, file_path, downloaded), UPDATE (sha256, file_path, downloaded) ON ims.attachments TO ims_acting_user;
SELECT ims_private.protect_table('ims.file_texts');
SELECT ims_private.protect_table('ims.file_text_parts');
SELECT ims_private.protect_table('ims.search_queries');
SELECT ims_private.protect_table('ims.saved_searches');
SELECT ims_private.protect_table('ims.analytics_daily');
SELECT ims_private.protect_table('ims.analytics_monthly');

-- The search function looks for itself, past row security, and says whose rows it wants.
GRANT SELECT ON ims.issues, ims.issue_comments, ims.trackers TO ims_searcher;
GRANT SELECT (attachment_id, user_id, issue_pk, filename, sha256, removed_at) ON ims.attachments TO ims_searcher;
GRANT SELECT ON ims.file_text_parts TO ims_searcher;

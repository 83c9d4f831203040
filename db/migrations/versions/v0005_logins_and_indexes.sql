-- By what a personal login is known: its role's number alone is another's on the next server.
ALTER TABLE ims_private.identities
    ADD COLUMN login_name text,
    ADD COLUMN login_cluster bigint;

-- A login that has its number and its name is believed to have been made here; others are nobody's.
UPDATE ims_private.identities known
SET login_name = role.rolname, login_cluster = server.system_identifier
FROM ims.users person, pg_roles role, pg_control_system() server
WHERE person.user_id = known.user_id AND role.oid = known.login_oid AND role.rolname = person.db_login;
UPDATE ims_private.identities SET login_oid = NULL WHERE login_name IS NULL;

ALTER TABLE ims_private.identities
    ADD CONSTRAINT identities_login_name_key UNIQUE (login_name),
    ADD CONSTRAINT identities_login_check CHECK (num_nulls(login_oid, login_name, login_cluster) IN (0, 3));

-- Indexes lead with the owner. One that starts with something else is read over everybody's rows, and EXPLAIN ANALYZE
-- counts what it passed over; and every query has the owner in its condition, so that such an index is the one to take,
-- whatever the planner thinks of how many rows an owner has.
ALTER TABLE ims.attachments
    DROP CONSTRAINT attachments_issue_pk_source_key_user_id_key,
    ADD CONSTRAINT attachments_user_id_issue_pk_source_key_key UNIQUE (user_id, issue_pk, source_key);
ALTER TABLE ims.issue_comments
    DROP CONSTRAINT issue_comments_issue_pk_source_key_user_id_key,
    ADD CONSTRAINT issue_comments_user_id_issue_pk_source_key_key UNIQUE (user_id, issue_pk, source_key);
ALTER TABLE ims.issue_history
    DROP CONSTRAINT issue_history_issue_pk_source_key_user_id_key,
    ADD CONSTRAINT issue_history_user_id_issue_pk_source_key_key UNIQUE (user_id, issue_pk, source_key);
ALTER TABLE ims.issue_relations
    DROP CONSTRAINT issue_relations_issue_pk_link_key,
    ADD CONSTRAINT issue_relations_user_id_issue_pk_link_key UNIQUE (user_id, issue_pk, related_issue_id, relation_type);
ALTER TABLE ims.session_issues
    DROP CONSTRAINT session_issues_pkey,
    ADD CONSTRAINT session_issues_pkey PRIMARY KEY (user_id, session_id, issue_pk);
ALTER TABLE ims.session_frontier
    DROP CONSTRAINT session_frontier_pkey,
    ADD CONSTRAINT session_frontier_pkey PRIMARY KEY (user_id, session_id, issue_id);
ALTER TABLE ims.session_chunks
    DROP CONSTRAINT session_chunks_pkey,
    ADD CONSTRAINT session_chunks_pkey PRIMARY KEY (user_id, session_id, chunk_number);
ALTER TABLE ims.tracker_secrets
    DROP CONSTRAINT tracker_secrets_pkey,
    ADD CONSTRAINT tracker_secrets_pkey PRIMARY KEY (user_id, tracker_id);
ALTER TABLE ims.crawl_sessions
    DROP CONSTRAINT crawl_sessions_session_uuid_user_id_key,
    ADD CONSTRAINT crawl_sessions_user_id_session_uuid_key UNIQUE (user_id, session_uuid);

DROP INDEX ims.raw_pages_session_id_idx, ims.runs_session_id_idx, ims.search_queries_session_id_idx,
           ims.session_errors_session_id_idx, ims.session_frontier_position_idx, ims.session_issues_issue_pk_idx,
           ims.saved_searches_next_run_at_idx;
CREATE INDEX raw_pages_user_id_session_id_idx ON ims.raw_pages (user_id, session_id);
CREATE INDEX runs_user_id_session_id_idx ON ims.runs (user_id, session_id);
CREATE INDEX search_queries_user_id_session_id_idx ON ims.search_queries (user_id, session_id);
CREATE INDEX session_errors_user_id_session_id_idx ON ims.session_errors (user_id, session_id);
CREATE INDEX session_frontier_user_id_session_id_position_idx ON ims.session_frontier (user_id, session_id, position);
CREATE INDEX session_issues_user_id_issue_pk_idx ON ims.session_issues (user_id, issue_pk);
CREATE INDEX saved_searches_user_id_next_run_at_idx ON ims.saved_searches (user_id, next_run_at);

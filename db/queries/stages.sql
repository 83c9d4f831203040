-- state --
-- Whether this connection has its stages, and whether rows are left in them from earlier in this transaction.
SELECT to_regclass('pg_temp.stage_relation') IS NOT NULL,
       coalesce(pg_relation_size(to_regclass('pg_temp.stage_issue')), 0) > 0

-- create --
-- Made once for a connection, emptied by each commit. They belong to whoever this transaction acts for,
-- and the next one may act for somebody else: nothing of one is ever there for another, so that all may
-- use them.
CREATE TEMP TABLE stage_issue (
    known_pk bigint, issue_id text, url text, title text, description text, product text, status text, state text,
    priority text, severity text, issue_type text, reporter text, owner text, manager text,
    registered_date timestamptz, modified_date timestamptz, closed_date timestamptz, project_code text,
    project_name text, site text, customer text, module text, found_version text, fixed_version text,
    target_version text, full_data text, content_hash bytea, observed_at timestamptz, comments text,
    file_words text, attachment_keys text[]
) WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_before (issue_pk bigint, fields jsonb) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_comment (
    issue_pk bigint, source_key text, comment_number integer, author text, content text, commented_at timestamptz,
    is_private boolean
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_change (
    issue_pk bigint, source_key text, position integer, changed_by text, changed_at timestamptz, change_type text,
    field_name text, old_value text, new_value text, description text, field text
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_attachment (
    issue_pk bigint, source_key text, filename text, file_type text, file_size bigint, download_url text,
    author text, attached_at timestamptz, description text
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_relation (
    issue_pk bigint, related_issue_id text, relation_type text, title text
) ON COMMIT DELETE ROWS;
GRANT ALL ON stage_issue, stage_before, stage_comment, stage_change, stage_attachment, stage_relation TO PUBLIC

-- clear --
TRUNCATE pg_temp.stage_issue, pg_temp.stage_before, pg_temp.stage_comment, pg_temp.stage_change,
         pg_temp.stage_attachment, pg_temp.stage_relation

-- issues --
COPY pg_temp.stage_issue FROM STDIN (FORMAT binary)

-- comments --
COPY pg_temp.stage_comment FROM STDIN (FORMAT binary)

-- history --
COPY pg_temp.stage_change FROM STDIN (FORMAT binary)

-- attachments --
COPY pg_temp.stage_attachment FROM STDIN (FORMAT binary)

-- relations --
COPY pg_temp.stage_relation FROM STDIN (FORMAT binary)

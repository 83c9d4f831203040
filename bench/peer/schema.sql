-- The tables of a Scrapy project: one tracker, one user, the tracker's own numbers as keys.
CREATE TABLE IF NOT EXISTS issues (
    issue_id bigint PRIMARY KEY,
    title text NOT NULL,
    product text, status text, priority text, category text, version text, module text,
    customer text, project text, site text, reporter text, handler text, owner text, manager text,
    error_code text,
    registered_at timestamptz,
    description text NOT NULL,
    page_hash bytea NOT NULL,
    crawled_at timestamptz NOT NULL DEFAULT now(),
    search tsvector NOT NULL
);
CREATE INDEX IF NOT EXISTS issues_search ON issues USING gin (search);

CREATE TABLE IF NOT EXISTS comments (
    issue_id bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    number integer NOT NULL,
    author text, commented_at timestamptz, content text NOT NULL,
    PRIMARY KEY (issue_id, number)
);

CREATE TABLE IF NOT EXISTS history (
    issue_id bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    position integer NOT NULL,
    changed_at timestamptz, changed_by text, field text, old_value text, new_value text, details text NOT NULL,
    PRIMARY KEY (issue_id, position)
);

CREATE TABLE IF NOT EXISTS attachments (
    issue_id bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    file_id bigint NOT NULL,
    filename text NOT NULL, kind text NOT NULL, size text,
    PRIMARY KEY (issue_id, file_id)
);

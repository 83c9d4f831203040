-- The filters of ims.search_issues, read once for all issues; see sql/search/read_filters.sql.
CREATE TYPE ims_private.search_filters AS (
    nothing boolean,  -- everything is wanted, whatever is asked of its owner
    tracker text,
    status text,
    states text[],  -- what the status stands for, where it is open or closed
    state text[],
    created_from timestamptz,
    created_to timestamptz,
    updated_from timestamptz,
    updated_to timestamptz,
    reporter text,
    owner text,
    priority text,
    module text,
    has_attachment boolean,
    user_id integer
);
DROP FUNCTION IF EXISTS ims.search_issues(text, text, integer);

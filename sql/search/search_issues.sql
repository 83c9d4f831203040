-- Find stored issues, the best first: ims.search_hits without the place of each hit. Put into its
-- caller's query.
CREATE OR REPLACE FUNCTION ims.search_issues(
    query_text text, product_filter text DEFAULT NULL, max_rows integer DEFAULT 100, filters jsonb DEFAULT '{}'
) RETURNS TABLE (
    issue_pk bigint, issue_id text, title text, description text, product text, status text, rank real, snippet text
)
LANGUAGE sql STABLE ROWS 100
AS $$
SELECT issue_pk, issue_id, title, description, product, status, rank, snippet
FROM ims.search_hits(query_text, product_filter, max_rows, filters)
$$;

GRANT EXECUTE ON FUNCTION ims.search_issues(text, text, integer, jsonb) TO ims_app, ims_user, ims_readonly, ims_admin;

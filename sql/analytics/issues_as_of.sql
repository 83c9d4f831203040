-- The issues as they were at a moment: for each field what the first change after it replaced, else what it is now. The
-- state is that of the status by ims.status_spans. Those that were registered later, or gone by then, are left out.
--
--   product  a product, or the beginning of several's names, as it is called now; NULL: all
CREATE OR REPLACE FUNCTION ims.issues_as_of(at timestamptz, product text DEFAULT NULL) RETURNS TABLE (
    issue_pk bigint, issue_id text, title text, status text, state text, priority text, owner text
)
LANGUAGE sql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH field AS MATERIALIZED (  -- the tracker's names of the fields, few of them, looked up once each
    SELECT names.name, ims.history_column(names.name) AS column_name
    FROM (SELECT DISTINCT later.field_name FROM ims.issue_history later WHERE later.changed_at > issues_as_of.at) AS names (name)
), replaced AS (
    SELECT later.issue_pk,
           array_agg(later.old_value ORDER BY later.changed_at, later.position, later.history_id)
               FILTER (WHERE field.column_name = 'title') AS titles,
           array_agg(later.old_value ORDER BY later.changed_at, later.position, later.history_id)
               FILTER (WHERE field.column_name = 'priority') AS priorities,
           array_agg(later.old_value ORDER BY later.changed_at, later.position, later.history_id)
               FILTER (WHERE field.column_name = 'owner') AS owners
    FROM ims.issue_history later
    JOIN field ON field.name = later.field_name AND field.column_name IN ('title', 'priority', 'owner')
    WHERE later.changed_at > issues_as_of.at
    GROUP BY later.issue_pk
)
SELECT issue.issue_pk, issue.issue_id, coalesce(CASE WHEN titles IS NULL THEN issue.title ELSE titles[1] END, ''),
       span.status, span.state,
       CASE WHEN priorities IS NULL THEN issue.priority ELSE nullif(priorities[1], '') END,
       CASE WHEN owners IS NULL THEN issue.owner ELSE nullif(owners[1], '') END
FROM ims.status_spans(issues_as_of.product) AS span
JOIN ims.issues issue USING (issue_pk)
LEFT JOIN replaced USING (issue_pk)
WHERE span.entered_at <= issues_as_of.at AND (span.left_at > issues_as_of.at OR span.left_at IS NULL)
ORDER BY issue.issue_pk
$$;

GRANT EXECUTE ON FUNCTION ims.issues_as_of(timestamptz, text) TO ims_app, ims_user, ims_readonly, ims_admin;

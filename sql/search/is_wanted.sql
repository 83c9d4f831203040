-- Whether an issue has what the filters of a search ask for. One expression, so that the planner puts it into the query.
CREATE OR REPLACE FUNCTION ims_private.is_wanted(issue ims.issues, filters ims_private.search_filters) RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT (filters.tracker IS NULL OR EXISTS (
            SELECT FROM ims.trackers tracker
            WHERE tracker.user_id = issue.user_id AND tracker.tracker_id = issue.tracker_id
              AND tracker.name = filters.tracker))
   AND (filters.status IS NULL OR lower(issue.status) = filters.status OR issue.state = ANY (filters.states))
   AND (filters.state IS NULL OR issue.state = ANY (filters.state))
   AND (filters.created_from IS NULL OR issue.registered_date >= filters.created_from)
   AND (filters.created_to IS NULL OR issue.registered_date < filters.created_to)
   AND (filters.updated_from IS NULL
        OR coalesce(issue.modified_date, issue.registered_date) >= filters.updated_from)
   AND (filters.updated_to IS NULL OR coalesce(issue.modified_date, issue.registered_date) < filters.updated_to)
   AND (filters.reporter IS NULL OR strpos(lower(issue.reporter), filters.reporter) > 0)
   AND (filters.owner IS NULL OR strpos(lower(issue.owner), filters.owner) > 0)
   AND (filters.priority IS NULL OR lower(issue.priority) = filters.priority)
   AND (filters.module IS NULL OR lower(issue.module) = filters.module)
   AND (filters.has_attachment IS NULL OR filters.has_attachment = EXISTS (
            SELECT FROM ims.attachments file
            WHERE file.user_id = issue.user_id AND file.issue_pk = issue.issue_pk AND file.removed_at IS NULL))
$$;

REVOKE ALL ON FUNCTION ims_private.is_wanted(ims.issues, ims_private.search_filters) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.is_wanted(ims.issues, ims_private.search_filters) TO ims_searcher;

-- Whether an issue has what the filters of a search ask for. One expression, so that the planner puts it into the query.
DROP FUNCTION IF EXISTS ims_private.is_wanted(ims.issues, ims_private.search_filters);
CREATE OR REPLACE FUNCTION ims_private.is_wanted(
    possessor integer, wanted bigint, connection bigint, status text, state text, registered_date timestamptz,
    modified_date timestamptz, reporter text, owner text, priority text, module text, filters ims_private.search_filters
) RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT (filters.tracker IS NULL OR EXISTS (
            SELECT FROM ims.trackers tracker
            WHERE tracker.user_id = possessor AND tracker.tracker_id = connection
              AND tracker.name = filters.tracker))
   AND (filters.status IS NULL OR lower(status) = filters.status OR state = ANY (filters.states))
   AND (filters.state IS NULL OR state = ANY (filters.state))
   AND (filters.created_from IS NULL OR registered_date >= filters.created_from)
   AND (filters.created_to IS NULL OR registered_date < filters.created_to)
   AND (filters.updated_from IS NULL
        OR coalesce(modified_date, registered_date) >= filters.updated_from)
   AND (filters.updated_to IS NULL OR coalesce(modified_date, registered_date) < filters.updated_to)
   AND (filters.reporter IS NULL OR strpos(lower(reporter), filters.reporter) > 0)
   AND (filters.owner IS NULL OR strpos(lower(owner), filters.owner) > 0)
   AND (filters.priority IS NULL OR lower(priority) = filters.priority)
   AND (filters.module IS NULL OR lower(module) = filters.module)
   AND (filters.has_attachment IS NULL OR filters.has_attachment = EXISTS (
            SELECT FROM ims.attachments file
            WHERE file.user_id = possessor AND file.issue_pk = wanted AND file.removed_at IS NULL))
$$;

REVOKE ALL ON FUNCTION ims_private.is_wanted FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.is_wanted TO ims_searcher;

-- The filters of a search, read once for all issues.
--
--   tracker                    a tracker's name
--   status                     open, closed, or the tracker's own word in whatever case
--   state                      open, in_progress, done or unknown; a list: any of them
--   created_from, created_to   registered at or after, and before, this time
--   updated_from, updated_to   changed, or where that is not known registered, at or after, and before, this time
--   reporter, owner            has this in the name
--   priority, module           is this, in whatever case
--   has_attachment             true: a file is attached; false: none is
--   in                         title, description, comments or attachments, which is names and texts of files; a list: any
--   user_id                    whose issues; somebody else's are for admins and analysts
CREATE OR REPLACE FUNCTION ims_private.read_filters(filters jsonb) RETURNS ims_private.search_filters
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given CONSTANT jsonb := coalesce(jsonb_strip_nulls(filters), '{}');
    read ims_private.search_filters;
    unknown text;
BEGIN
    IF given = '{}' THEN  -- most searches, to be quick
        read.nothing := true;
        read.in_files := true;
        RETURN read;
    ELSIF jsonb_typeof(given) <> 'object' THEN
        RAISE EXCEPTION 'The filters of a search are a JSON object.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT string_agg(name, ', ') INTO unknown
    FROM jsonb_object_keys(given) AS name
    WHERE name NOT IN ('tracker', 'status', 'state', 'created_from', 'created_to', 'updated_from', 'updated_to',
                       'reporter', 'owner', 'priority', 'module', 'has_attachment', 'in', 'user_id');
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'A search has no filter called %.', unknown USING ERRCODE = 'invalid_parameter_value';
    END IF;
    read.nothing := given - '{user_id,in}'::text[] = '{}';
    read.tracker := given ->> 'tracker';
    read.status := lower(given ->> 'status');
    read.states := CASE WHEN read.status = 'open' THEN '{open,in_progress}'::text[]
                        WHEN read.status = 'closed' THEN '{done}'::text[] END;
    read.state := CASE jsonb_typeof(given -> 'state')
                      WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(given -> 'state'))
                      WHEN 'string' THEN ARRAY[given ->> 'state'] END;
    read.created_from := given ->> 'created_from';
    read.created_to := given ->> 'created_to';
    read.updated_from := given ->> 'updated_from';
    read.updated_to := given ->> 'updated_to';
    read.reporter := lower(given ->> 'reporter');
    read.owner := lower(given ->> 'owner');
    read.priority := lower(given ->> 'priority');
    read.module := lower(given ->> 'module');
    read.has_attachment := given ->> 'has_attachment';
    read.fields := (
        SELECT string_agg(weight, '')
        FROM (VALUES ('title', 'A'), ('description', 'B'), ('comments', 'C'), ('attachments', 'D')) AS known (name, weight)
        WHERE jsonb_exists(given -> 'in', name));
    IF given ? 'in' AND (length(read.fields) IS DISTINCT FROM
            CASE jsonb_typeof(given -> 'in') WHEN 'array' THEN jsonb_array_length(given -> 'in') ELSE 1 END) THEN
        RAISE EXCEPTION 'A search is in title, description, comments or attachments.'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    read.in_files := read.fields IS NULL OR read.fields LIKE '%D%';
    read.user_id := given ->> 'user_id';
    RETURN read;
END
$$;

REVOKE ALL ON FUNCTION ims_private.read_filters(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.read_filters(jsonb) TO ims_searcher;

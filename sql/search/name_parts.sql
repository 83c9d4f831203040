-- The parts of the names in a text that are written in one, each with a mark, so that OutOfMemoryError is found by memory.
-- A character 1 parts fields, in the text and in the answer; each field's parts end with a bare mark. Letters before digits (SVC99) need no part, for they are its
-- beginning; ims.term_query asks for them so.
CREATE OR REPLACE FUNCTION ims.name_parts(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ' ǀ' || regexp_replace(
        (SELECT string_agg(name[1], ' ǀ')
         FROM (SELECT regexp_matches(
                   document, '[A-Za-z]*(?:[a-z][A-Z]|[A-Z]{2}[a-z])[A-Za-z]*|\u0001', 'g') AS name) AS names),
        '[a-z](?=[A-Z])|[A-Z](?=[A-Z][a-z])', '\& ǀ', 'g');
END
$$;

GRANT EXECUTE ON FUNCTION ims.name_parts(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

-- A query in the direct syntax as a tsquery: every required term, none of the excluded, and at least one of the others
-- where nothing is required. Empty where it asks for everything; NULL where it asks for what no text has, such as ???.
--
--   fields  the weights of the fields that are looked at: AB; empty: all
CREATE OR REPLACE FUNCTION ims.search_query(query_text text, fields text DEFAULT '') RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT asked FROM ims.read_question(query_text, fields));

GRANT EXECUTE ON FUNCTION ims.search_query(text, text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

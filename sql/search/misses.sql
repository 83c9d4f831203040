-- What a field leaves of the doubt whether an issue answers a term: 1 where the term is not in it, less where it is; a word
-- as written leaves less than another form of it, and that less than a part of a word. Put into its caller's query.
--
--   worth              of the field, when the word is in it as written
--   exact, near, part  the queries of ims.term_query with the field's weight, or NULL
CREATE OR REPLACE FUNCTION ims_private.misses(vector tsvector, worth real, exact tsquery, near tsquery, part tsquery)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE WHEN vector @@ exact THEN 1 - worth
            WHEN vector @@ near THEN 1 - worth * 0.9
            WHEN vector @@ part THEN 1 - worth * 0.45
            ELSE 1 END
$$;

REVOKE ALL ON FUNCTION ims_private.misses(tsvector, real, tsquery, tsquery, tsquery) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.misses(tsvector, real, tsquery, tsquery, tsquery) TO ims_searcher;

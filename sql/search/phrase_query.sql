-- Operands of a tsquery one after the other. Beyond the 16383rd place of a vector all words are in that one place.
CREATE OR REPLACE FUNCTION ims.phrase_query(words text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN cardinality(words) = 1 THEN words[1]
            ELSE '(' || array_to_string(words, ' <-> ') || ' | ' || array_to_string(words, ' <0> ') || ')' END;

GRANT EXECUTE ON FUNCTION ims.phrase_query(text[]) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

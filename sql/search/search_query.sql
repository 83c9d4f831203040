-- A query in the direct syntax as a tsquery: every required term, none of the excluded, and at least one of the others
-- where nothing is required. Empty where it asks for everything; NULL where it asks for what no text has, such as ???.
--
--   fields  the weights of the fields that are looked at: AB; empty: all
CREATE OR REPLACE FUNCTION ims.search_query(query_text text, fields text DEFAULT '') RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning  -- asking for everything is no mistake
AS $$
DECLARE
    clause record;
    must tsquery;
    should tsquery;
    must_not tsquery;
BEGIN
    FOR clause IN
        SELECT sign, replace(concat_ws(' | ', exact, near, part), E'\u0001', fields)::tsquery AS words
        FROM (SELECT DISTINCT * FROM ims.query_clauses(query_text)) AS clauses
        CROSS JOIN LATERAL ims.term_query(coalesce(number, term), phrase)
        WHERE exact IS NOT NULL
    LOOP
        CASE clause.sign
            WHEN '+' THEN must := coalesce(must && clause.words, clause.words);
            WHEN '-' THEN must_not := coalesce(must_not || clause.words, clause.words);
            ELSE should := coalesce(should || clause.words, clause.words);
        END CASE;
    END LOOP;
    must := coalesce(must, should);
    IF must IS NULL AND must_not IS NULL AND query_text ~ '^[*=\s]*$' THEN
        RETURN '';
    END IF;
    RETURN CASE WHEN must_not IS NULL THEN must ELSE coalesce(must && !! must_not, !! must_not) END;
END
$$;

GRANT EXECUTE ON FUNCTION ims.search_query(text, text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

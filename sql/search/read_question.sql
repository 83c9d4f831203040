-- A query in the direct syntax, taken apart once for all that asks about it.
--
--   fields     the weights of the fields that are looked at: AB; empty: all
--   asked      every required term, none of the excluded, and at least one of the others where nothing is required. Empty
--              where everything is asked for; NULL where it is what no text has, such as ???
--   loose      the same without the order of a phrase's words, which an index does not know; NULL where something must not be
--   excluded   any of the excluded terms, in whichever field; NULL: there are none
--   terms, phrases   each term that is not excluded, once, and whether it is a phrase; NULL: there are none
--   named      what may be an issue's number or key, as written and in capitals
--   unwanted   likewise, excluded, in capitals
--   exact, near, part, required   of each of the terms that has a word in it: the texts of ims.term_query, and whether an
--              issue must have it; NULL: there are none
CREATE OR REPLACE FUNCTION ims.read_question(
    query_text text, fields text, OUT asked tsquery, OUT loose tsquery, OUT excluded tsquery, OUT terms text[], OUT phrases boolean[],
    OUT named text[], OUT unwanted text[], OUT exact text[], OUT near text[], OUT part text[], OUT required boolean[]
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning  -- asking for everything is no mistake
AS $$
DECLARE
    -- A phrase in one place alone, of ims.phrase_query: without order the same as the one before it.
    operand CONSTANT text := $re$'(?:[^']|'')+':\*?\u0001$re$;
    together CONSTANT text := format($re$ \| (?:%1$s|\(%1$s(?: \| %1$s)*\))(?: <0> (?:%1$s|\(%1$s(?: \| %1$s)*\)))+$re$, operand);
    clause record;
    key text;
    keys text[] := '{}';  -- of each clause once: what it is known by, and its sign, term and whether it is a phrase
    signs text[];
    said text[];
    quoted boolean[];
    place integer;
    query record;
    words text;
    must text;
    should text;
    must_not text;
BEGIN
    named := '{}';
    unwanted := '{}';
    FOR clause IN SELECT sign, coalesce(number, term) AS term, phrase FROM ims.query_clauses(query_text) LOOP
        key := concat_ws(' ', clause.sign = '-', clause.phrase, clause.term);
        place := coalesce(array_position(keys, key), cardinality(keys) + 1);  -- what is said twice is asked once
        keys[place] := key;
        signs[place] := greatest(signs[place], clause.sign);
        said[place] := clause.term;
        quoted[place] := clause.phrase;
    END LOOP;
    FOR place IN 1 .. cardinality(keys) LOOP
        query := ims.term_query(said[place], quoted[place]);
        words := '(' || concat_ws(' | ', query.exact, query.near, query.part) || ')';
        IF signs[place] = '-' THEN
            unwanted := unwanted || upper(said[place]);
        ELSE
            terms := terms || said[place];
            phrases := phrases || quoted[place];
            named := named || said[place] || upper(said[place]);
        END IF;
        CONTINUE WHEN query.exact IS NULL;
        IF signs[place] = '-' THEN
            must_not := concat_ws(' | ', must_not, words);
            CONTINUE;
        END IF;
        exact := exact || query.exact;
        near := near || query.near;
        part := part || query.part;
        required := required || (signs[place] = '+');
        IF signs[place] = '+' THEN
            must := concat_ws(' & ', must, words);
        ELSE
            should := concat_ws(' | ', should, words);
        END IF;
    END LOOP;
    must := coalesce(must, '(' || should || ')');
    IF must IS NOT NULL OR must_not IS NOT NULL THEN
        asked := replace(concat_ws(' & ', must, '!(' || must_not || ')'), E'\u0001', fields)::tsquery;
        IF must_not IS NULL AND strpos(must, '!') = 0 THEN
            loose := CASE WHEN strpos(must, ' <') = 0 THEN asked
                          ELSE replace(replace(regexp_replace(must, together, '', 'g'), ' <-> ', ' & '), E'\u0001', fields)::tsquery END;
        END IF;
        excluded := replace(must_not, E'\u0001', '')::tsquery;
    ELSIF query_text ~ '^[*=\s]*$' THEN
        asked := '';
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION ims.read_question(text, text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

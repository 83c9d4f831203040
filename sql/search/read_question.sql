-- A query in the direct syntax, taken apart once for all that asks about it.
--
--   fields     the weights of the fields that are looked at: AB; empty: all
--   asked      every required term, none of the excluded, and at least one of the others where nothing is required. Empty
--              where everything is asked for; NULL where it is what no text has, such as ???
--   loose      the same without the order of a phrase's words, which an index does not know; NULL where something must not be
--   excluded   any of the excluded terms, in whichever field; NULL: there are none
--   named      what may be an issue's number or key, as written and in capitals
--   unwanted   likewise, excluded, in capitals
--   exact, near, part, required   of each term that is not excluded, once: the texts of ims.term_query, and whether an issue
--              must have it; NULL: there are none
CREATE OR REPLACE FUNCTION ims.read_question(
    query_text text, fields text, OUT asked tsquery, OUT loose tsquery, OUT excluded tsquery, OUT named text[], OUT unwanted text[],
    OUT exact text[], OUT near text[], OUT part text[], OUT required boolean[]
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning  -- asking for everything is no mistake
AS $$
DECLARE
    -- A phrase in one place alone, of ims.phrase_query: without order the same as the one before it.
    operand CONSTANT text := $re$'(?:[^']|'')+':\*?\u0001$re$;
    together CONSTANT text := format($re$ \| (?:%1$s|\(%1$s(?: \| %1$s)*\))(?: <0> (?:%1$s|\(%1$s(?: \| %1$s)*\)))+$re$, operand);
    must text;
    should text;
    must_not text;
BEGIN
    WITH clauses AS (
        SELECT max(sign) AS sign, coalesce(number, term) AS term, phrase, sign = '-' AS is_excluded, min(place) AS place,
               bool_or(sign = '') AS is_optional
        FROM ims.query_clauses(query_text) WITH ORDINALITY AS clauses (sign, term, number, phrase, place)
        GROUP BY coalesce(number, term), phrase, sign = '-'
    ), read AS (
        SELECT clauses.*, query.exact, query.near, query.part, '(' || concat_ws(' | ', query.exact, query.near, query.part) || ')' AS words
        FROM clauses CROSS JOIN LATERAL ims.term_query(term, phrase) AS query
    )
    SELECT string_agg(words, ' & ') FILTER (WHERE read.exact IS NOT NULL AND sign = '+'),
           string_agg(words, ' | ') FILTER (WHERE read.exact IS NOT NULL AND is_optional),
           string_agg(words, ' | ') FILTER (WHERE read.exact IS NOT NULL AND is_excluded),
           coalesce(array_agg(term) FILTER (WHERE NOT is_excluded) || array_agg(upper(term)) FILTER (WHERE NOT is_excluded), '{}'),
           coalesce(array_agg(upper(term)) FILTER (WHERE is_excluded), '{}'),
           array_agg(read.exact ORDER BY place) FILTER (WHERE read.exact IS NOT NULL AND NOT is_excluded),
           array_agg(read.near ORDER BY place) FILTER (WHERE read.exact IS NOT NULL AND NOT is_excluded),
           array_agg(read.part ORDER BY place) FILTER (WHERE read.exact IS NOT NULL AND NOT is_excluded),
           array_agg(sign = '+' ORDER BY place) FILTER (WHERE read.exact IS NOT NULL AND NOT is_excluded)
    INTO must, should, must_not, named, unwanted, exact, near, part, required
    FROM read;
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

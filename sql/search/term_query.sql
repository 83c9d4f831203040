-- One term of a question as three tsqueries: as written and, in an unspaced script, from the start of a word (exact); in
-- another form of the word (near); as a part of a word or name (part). Each is a text with a character 1 where a weight
-- may stand, NULL where there is none; all NULL where the term has no word in it.
CREATE OR REPLACE FUNCTION ims.term_query(term text, phrase boolean, OUT exact text, OUT near text, OUT part text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    spaced CONSTANT text := ims.spaced_text(term);
    words text[] := (SELECT (array_agg(lexeme ORDER BY place))[1:100]  -- a longer phrase is known by its beginning
                     FROM unnest(to_tsvector('simple', spaced)) CROSS JOIN unnest(positions) AS place
                     WHERE lexeme !~ '^[ǁǀ]+$');  -- before what no parser takes for a letter, or written so
    -- What the term starts or ends with may stand within a word.
    opens CONSTANT boolean := words[1] LIKE 'ǁ%';
    closes CONSTANT boolean := right(rtrim(spaced), 1) >= U&'\3005' COLLATE "C";
    last CONSTANT text := words[cardinality(words)];
BEGIN
    IF words IS NULL THEN
        RETURN;
    END IF;
    IF closes AND cardinality(words) > 1 AND last NOT LIKE 'ǁ%' THEN
        words := trim_array(words, 1);  -- the pair before has it
    END IF;
    SELECT array_agg(quote_literal(word) || E':\u0001' ORDER BY place) INTO words
    FROM unnest(words) WITH ORDINALITY AS listed (word, place);
    IF closes AND last LIKE 'ǁ_' THEN  -- a single letter, and another may follow
        words[cardinality(words)] := replace(words[cardinality(words)], ':', ':*');
    END IF;
    IF cardinality(words) > 1 AND words[1] ~ '^''[0-9]' THEN  -- a version, which may have its letter before it
        words[1] := '(' || words[1] || ' | ' || overlay(words[1] PLACING '''v' FROM 1 FOR 1) || ')';
    END IF;
    exact := ims.phrase_query(words);
    IF opens THEN
        words[1] := replace(words[1], 'ǁ', '');
        part := ims.phrase_query(words);
    ELSIF cardinality(words) = 1 AND NOT phrase THEN
        SELECT string_agg(quote_literal(form) || E':\u0001', ' | ') FILTER (WHERE form <> last),
               string_agg(quote_literal('ǀ' || form) || E':\u0001', ' | ')
        INTO near, part
        FROM unnest(ims.word_forms(last)) AS form;
        IF last ~ '^[a-z]{2,}$' THEN  -- the letters before the digits of a name: SVC99
            part := part || (SELECT string_agg(' | ' || quote_literal(last || digit) || E':*\u0001', '')
                             FROM generate_series(0, 9) AS digit);
        ELSIF last ~ '^[1-9][0-9]*$' THEN  -- the digits of a code: ORA-01555, 0x80070005
            part := part || (SELECT string_agg(' | ' || quote_literal(zeros || last) || E':\u0001', '')
                             FROM unnest('{0,00,000,0000,0x}'::text[]) AS zeros);
        END IF;
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION ims.term_query(text, boolean) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

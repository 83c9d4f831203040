-- A term as it is written, of ims.spaced_text: its lexemes in their order, and two queries, each a text with a character 1
-- where a weight may stand. In an unspaced script the first finds it from the start of a word (exact) and the second within
-- one (within). All NULL where there is no word in it.
CREATE OR REPLACE FUNCTION ims.written_query(spaced text, OUT lexemes text[], OUT exact text, OUT within text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    words text[];
    -- What the term ends with may stand within a word.
    closes CONSTANT boolean := right(rtrim(spaced), 1) >= U&'\3005' COLLATE "C";
    last text;
BEGIN
    SELECT (array_agg(lexeme ORDER BY place))[1:100] INTO lexemes  -- a longer phrase is known by its beginning
    FROM unnest(to_tsvector('simple', spaced)) CROSS JOIN unnest(positions) AS place
    WHERE lexeme !~ '^[ǀǁǂ]+$';  -- before what no parser takes for a letter, or written so
    IF lexemes IS NULL THEN
        RETURN;
    END IF;
    words := lexemes;
    last := words[cardinality(words)];
    IF closes AND cardinality(words) > 1 AND last NOT LIKE 'ǁ%' THEN
        words := trim_array(words, 1);  -- the pair before has it
    END IF;
    FOR place IN 1 .. cardinality(words) LOOP
        words[place] := quote_literal(words[place]) || E':\u0001';
    END LOOP;
    IF closes AND last LIKE 'ǁ_' THEN  -- a single letter, and another may follow
        words[cardinality(words)] := replace(words[cardinality(words)], ':', ':*');
    END IF;
    IF cardinality(words) > 1 AND words[1] ~ '^''[0-9]' THEN  -- a version, which may have its letter before it
        words[1] := '(' || words[1] || ' | ' || overlay(words[1] PLACING '''v' FROM 1 FOR 1) || ')';
    END IF;
    exact := ims.phrase_query(words);
    IF lexemes[1] LIKE 'ǁ%' THEN
        words[1] := replace(words[1], 'ǁ', '');
        within := ims.phrase_query(words);
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION ims.written_query(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

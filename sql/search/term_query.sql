-- One term of a question as three tsqueries: as written and, in an unspaced script, from the start of a word (exact); in
-- another form of the word or written otherwise (near); as a part of a word, name or code (part). Each is a text with a
-- character 1 where a weight may stand, NULL where there is none; all NULL where the term has no word in it.
CREATE OR REPLACE FUNCTION ims.term_query(term text, phrase boolean, OUT exact text, OUT near text, OUT part text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    composed CONSTANT text := replace(ims.composed_text(term), 'ǂ', '');  -- what nobody sees nobody asks for
    written CONSTANT record := ims.written_query(ims.spaced_text(composed));
    variants record;
    word CONSTANT text := written.lexemes[1];
    others text[];  -- of its forms: of letters alone
BEGIN
    IF written.exact IS NULL THEN
        RETURN;
    END IF;
    exact := written.exact;
    part := written.within;
    IF part IS NULL AND cardinality(written.lexemes) = 1 AND NOT phrase THEN
        others := array_remove(ims.word_forms(word), word);
        near := '''' || array_to_string(nullif(others, '{}'), E''':\u0001 | ''') || E''':\u0001';
        part := concat(quote_literal('ǀ' || word) || E':\u0001', replace(' | ' || near, ' | ''', ' | ''ǀ'));
        IF word ~ '^[1-9][0-9]*$' THEN  -- the digits of a code: ORA-01555, ORA01555, 0x80070005
            part := part || (SELECT string_agg(' | ' || quote_literal(mark || zeros || word) || E':\u0001', '')
                             FROM unnest('{0,00,000,0000,0x}'::text[]) AS zeros, unnest('{"",ǀ}'::text[]) AS mark);
        END IF;
    END IF;
    IF composed ~ '[ァ-ヺー][ァ-ヺ]$' AND NOT phrase THEN  -- サーバ is a beginning of サーバー, but as another writes it
        exact := '(' || exact || ' <-> !' || quote_literal(right(composed, 1) || 'ー') || E':\u0001)';
    END IF;
    variants := ims.term_variants(composed, written.lexemes, phrase);
    near := nullif(concat_ws(' | ', near, variants.near), '');
    part := nullif(concat_ws(' | ', part, variants.part), '');
END
$$;

GRANT EXECUTE ON FUNCTION ims.term_query(text, boolean) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

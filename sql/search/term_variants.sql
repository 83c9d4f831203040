-- How others may have written a term, as ims.term_query writes queries: as likely meant (near), or as its beginning (part).
-- What a text's side of a variant needs is in its vector, with the mark ǂ (ims.composed_text, ims.name_parts,
-- ims.accent_variants); all else is the question's business.
--
--   lexemes  of ims.written_query
CREATE OR REPLACE FUNCTION ims.term_variants(term text, lexemes text[], phrase boolean, OUT near text, OUT part text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    words CONSTANT text := array_to_string(lexemes, ' ');
    joined CONSTANT text := array_to_string(lexemes, '');
    alike text[] := '{}';   -- queries
    begins text[] := '{}';
    one text;
BEGIN
    IF cardinality(lexemes) > 20 THEN
        RETURN;
    ELSIF words ~ '^[a-z]+$' AND right(term, 1) <> '*' THEN  -- most words, to be quick
        near := quote_literal('ǂ' || words) || E':\u0001';
        RETURN;
    ELSIF octet_length(words) = char_length(words) OR words !~ '[\u3005-\U0010ffff]' THEN
        -- Without accents, or with something invisible inside.
        alike := ARRAY[ims.phrase_query(ARRAY(
            SELECT '(' || string_agg(DISTINCT quote_literal(form) || E':\u0001', ' | ') || ')'
            FROM unnest(lexemes) WITH ORDINALITY AS listed (word, place)
            CROSS JOIN LATERAL (VALUES (word), (ims.variant_key(word)), ('ǂ' || ims.variant_key(word))) AS forms (form)
            WHERE cardinality(lexemes) > 1 OR form <> word
            GROUP BY place ORDER BY place))];
        -- Letters and digits side by side or apart: ORA01555, ORA-01555, WebtoB 5.
        FOR one IN
            SELECT DISTINCT form FROM (VALUES
                (regexp_replace(words, '(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=[a-z])', ' ', 'g')),
                (regexp_replace(words, '([a-z]) (?=[0-9])', '\1', 'g')),
                (CASE WHEN cardinality(lexemes) BETWEEN 2 AND 4 AND term !~ '\s' THEN joined END)) AS forms (form)
            WHERE form <> words AND regexp_count(form, ' ') < 6 + cardinality(lexemes)
              AND words !~ '^[0-9a-f]{7,}$'
        LOOP
            alike := alike || ims.phrase_query(ARRAY(
                SELECT quote_literal(word) || E':\u0001' FROM unnest(string_to_array(one, ' ')) WITH ORDINALITY AS listed (word, place)
                ORDER BY place));
        END LOOP;
        IF cardinality(lexemes) BETWEEN 2 AND 4 AND joined ~ '^[a-z]' THEN
            alike := alike || (quote_literal('ǂ' || joined) || E':\u0001');
        END IF;
        -- The beginning of a code, of a commit's hash, or what a star says.
        IF joined ~ '^[a-z]{2,}[0-9]+$' THEN
            begins := ARRAY[quote_literal('ǂ' || joined) || E':*\u0001', quote_literal(joined) || E':*\u0001'];
        ELSIF words ~ '^[0-9a-f]{7,40}$' AND words ~ '[0-9]' AND words ~ '[a-f]' THEN
            begins := quote_literal(words) || E':*\u0001' || ARRAY(
                SELECT quote_literal(left(words, length)) || E':\u0001' FROM generate_series(7, 12) AS length
                WHERE length < char_length(words));
        END IF;
        IF term ~ '[0-9A-Za-z]\*$' AND lexemes[cardinality(lexemes)] ~ '...|[0-9].|.[0-9]' THEN
            alike := alike || begins || ims.phrase_query(ARRAY(
                SELECT quote_literal(word) || CASE WHEN place = cardinality(lexemes) THEN E':*\u0001' ELSE E':\u0001' END
                FROM unnest(lexemes) WITH ORDINALITY AS listed (word, place) ORDER BY place));
        END IF;
    ELSIF NOT phrase AND term ~ '^[가-힣]{3,20}$' THEN
        -- A blank anywhere within a Korean compound: at each letter's place is its pair, or a word starts or ends.
        SELECT ARRAY[ims.phrase_query(trim_array(chain, 1) || inner_last),
                     ims.phrase_query(trim_array(chain, 1) || (quote_literal(left(right(term, 2), 1)) || E':\u0001')
                                      || (quote_literal('ǁ' || right(term, 1)) || E':*\u0001'))],
               ARRAY[ims.phrase_query((quote_literal(left(term, 2)) || E':\u0001') || trim_array(chain[2:], 1) || inner_last)]
        INTO alike, begins
        FROM (SELECT array_agg(
                  CASE WHEN place = 1 THEN format(E'(''ǁ%s'':\u0001 | ''ǁ%s'':\u0001)', pair, left(pair, 1))
                       ELSE format(E'(''%s'':\u0001 | ''ǁ%s'':\u0001 | ''%s'':\u0001)', pair, pair, left(pair, 1)) END
                  ORDER BY place) AS chain
              FROM (SELECT place, substr(term, place, 2) AS pair
                    FROM generate_series(1, char_length(term) - 1) AS place) AS pairs) AS chained
        CROSS JOIN format(E'(''%1$s'':\u0001 | ''ǁ%1$s'':\u0001)', right(term, 2)) AS inner_last;
    ELSIF NOT phrase AND term ~ '[ぁ-ゖァ-ヺー]{2}' THEN
        IF term ~ '^[ぁ-ゖァ-ヺー]+$' AND char_length(ims.variant_key(term)) > 1 THEN
            one := quote_literal('ǂ' || ims.variant_key(term));
            alike := ARRAY[one || E':\u0001'];
            begins := CASE WHEN char_length(one) > 5 THEN ARRAY[one || E':*\u0001'] ELSE '{}' END;
        END IF;
        -- Longer and shorter at the end of a loanword, without small letters, and in the other kana.
        FOR one IN
            SELECT DISTINCT form FROM (VALUES
                (translate(replace(replace(replace(replace(term, 'ヴァ', 'バ'), 'ヴィ', 'ビ'), 'ヴェ', 'ベ'), 'ヴォ', 'ボ'),
                           'ァィゥェォャュョッヮ', 'アイウエオヤユヨツワ')),
                (regexp_replace(term, '(?<=[ァ-ヺー][ァ-ヺー])ー(?![ァ-ヺー])', '', 'g')),
                (regexp_replace(term, '(?<=[ァ-ヺー][ァ-ヺ])(?![ァ-ヺー])', 'ー', 'g')),
                (translate(term, 'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴ',
                                 'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔ')),
                (translate(term, 'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔ',
                                 'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴ'))) AS forms (form)
            WHERE form <> term
        LOOP
            SELECT alike || (exact || ending),
                   begins || (within || ending) || CASE WHEN ending <> '' AND char_length(one) > 2 THEN ARRAY[exact, within] END
            INTO alike, begins
            FROM ims.written_query(ims.spaced_text(one))
            CROSS JOIN (VALUES (CASE WHEN one || 'ー' = term THEN  -- エラ is no エラスティック
                ' <-> (' || (SELECT string_agg(quote_literal(right(one, 1) || after) || E':\u0001', ' | ')
                             FROM regexp_split_to_table('がをはにのでともへやかよまし', '') AS after)
                || ' | ' || quote_literal(right(one, 1)) || E':\u0001)' ELSE '' END)) AS closed (ending);
        END LOOP;
    END IF;
    near := nullif(array_to_string(alike, ' | '), '');
    part := nullif(array_to_string(begins, ' | '), '');
END
$$;

GRANT EXECUTE ON FUNCTION ims.term_variants(text, text[], boolean) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

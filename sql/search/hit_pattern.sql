-- Two regular expressions, for whatever case, that find terms of ims.read_question in a text as people wrote it: as words
-- (whole), and within names and written otherwise too (loose). NULL where nothing is looked for.
CREATE OR REPLACE FUNCTION ims.hit_pattern(terms text[], phrases boolean[], OUT whole text, OUT loose text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    apart CONSTANT text := '[^a-z0-9\u00aa-\u1fff\u3005-\u3007\u3031-\ud7ff\uf900-\ufaff\uff10-\uff5a\U00010000-\U0010ffff]+';
    -- The same to look for in whatever case: what parts words, for it would take milliseconds to find the other case of each
    -- letter that does not; without signs that are letters in the other case.
    gap CONSTANT text := '[\u0001-/:-@[-`{-\u00a9\u2000-\u2125\u2127-\u2129\u212c-\u2bff\u2e00-\u3004\u3008-\u3030\ue000-\uf8ff'
                         '\ufb00-\uff0f\uff5b-\uffff]+';
    words text;
    forms text[];
    shared integer;  -- letters that all of them begin with
    pattern text;
    spaced text[];
    unspaced text[];
BEGIN
    FOR place IN 1 .. coalesce(cardinality(terms), 0) LOOP
        words := btrim(regexp_replace(lower(normalize(terms[place], NFKC)), apart, ' ', 'g'));
        -- What is too long to be shown anyway would take seconds to look for.
        CONTINUE WHEN words = '' OR length(words) > 200;
        EXIT WHEN length(loose) > 10000;
        forms := CASE WHEN phrases[place] THEN ARRAY[words] ELSE ims.word_forms(words) END;
        IF cardinality(forms) = 1 THEN
            pattern := replace(words, ' ', gap);
        ELSE
            shared := length(words);
            WHILE left(forms[1], shared) <> left(forms[cardinality(forms)], shared) LOOP
                shared := shared - 1;
            END LOOP;
            pattern := left(words, shared) || '(?:'
                       || substr(replace('|' || array_to_string(forms, '|'), '|' || left(words, shared), '|'), 2) || ')';
        END IF;
        loose := concat_ws('|', loose, CASE WHEN words ~ '^[1-9]' THEN '0*' ELSE '' END || pattern,
                           ims.variant_pattern(words));
        IF words ~ '^[a-z0-9]' THEN
            spaced := spaced || pattern;
        ELSE
            unspaced := unspaced || pattern;
        END IF;
    END LOOP;
    whole := nullif(concat_ws('|', '(?<![a-z0-9])(?:' || array_to_string(spaced, '|') || ')(?![a-z0-9])',
                       array_to_string(unspaced, '|')), '');
END
$$;

GRANT EXECUTE ON FUNCTION ims.hit_pattern(text[], boolean[]) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

-- What an issue is found by: its owner as a lexeme that no text can contain, so that one index selects owner and words
-- together, and the words of title (A), description (B), comments (C) and attachments (D), each as written and in its
-- place, with the frames of stacks and the parts of names after them. Other forms of a word are the question's business (ims.word_forms,
-- ims.term_variants), which keeps the index small and the load fast.
--
-- A bare mark stands at the end of a field, so that no phrase reaches from one into the next.
--
-- A tsvector ends at 1 MB: a text of any size is stored, and found by what fits.
CREATE OR REPLACE FUNCTION ims.document_vector(
    owner integer, title text, description text, comments text, attachments text
) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    characters integer := 250000;  -- of each field
    owned CONSTANT tsvector := array_to_tsvector(ARRAY['owner ' || owner]);
    document text;
    parts text;
    frames text;
    accented boolean := false;
    words text[];  -- of each field
    vector tsvector;
BEGIN
    LOOP
        IF octet_length(concat(title, description, comments, attachments)) > characters / 10 THEN
            title := left(title, characters / 10);
            description := left(description, characters);
            comments := left(comments, characters);
            attachments := left(attachments, characters);
        END IF;
        document := concat(
            replace(title, E'\u0001', ' '), E'\n\u0001\n', replace(description, E'\u0001', ' '), E'\n\u0001\n',
            replace(comments, E'\u0001', ' '), E'\n\u0001\n', replace(attachments, E'\u0001', ' '));
        -- As ims.composed_text has it: other letters have but one form, and no accent.
        IF octet_length(document) > char_length(document)
           AND document ~ '[^\u0001-\u007f\u2010-\u2027\u3000-\u3029\u3030가-힣ぁ-ゖァ-ヺー-ヾ一-鿿（），．：；！？［］～]' THEN
            document := ims.composed_text(document);
            accented := document ~ '[\u00c0-\u024f\u0386-\u03ce\u0401\u0451\u1e00-\u1fff]';
        END IF;
        parts := ims.name_parts(document);
        frames := ims.stack_frames(document);
        IF frames IS NOT NULL THEN
            SELECT string_agg(split_part(frames, E'\u0001', field) || split_part(parts, E'\u0001', field), E'\u0001' ORDER BY field)
            INTO parts
            FROM generate_series(1, 4) AS field;
        END IF;
        words := string_to_array(ims.spaced_text(document), E'\u0001');
        BEGIN
            vector := setweight(to_tsvector('simple', words[1] || split_part(parts, E'\u0001', 1)), 'A')
                || owned
                || setweight(to_tsvector('simple', words[2] || split_part(parts, E'\u0001', 2)), 'B')
                || setweight(to_tsvector('simple', words[3] || split_part(parts, E'\u0001', 3)), 'C');
            IF attachments <> '' THEN
                vector := vector
                    || setweight(to_tsvector('simple', words[4] || split_part(parts, E'\u0001', 4)), 'D');
            END IF;
            RETURN CASE WHEN accented THEN ims.accent_variants(vector) ELSE vector END;
        EXCEPTION WHEN program_limit_exceeded THEN
            characters := characters / 5;
        END;
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION ims.document_vector(integer, text, text, text, text) TO ims_user, ims_admin, ims_app, ims_searcher;

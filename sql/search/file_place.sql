-- The first place in an issue's files that answers a question: in what is said about a file, else in a text, where the
-- vectors tell which pieces are to be looked through.
--
--   in_files  a tsquery of each term; NULL or empty: only names are looked at
--   loose     of ims.hit_pattern
--   lines     the line and one on either side, each cut where it is long; NULL where it is the name
CREATE OR REPLACE FUNCTION ims_private.file_place(
    wanted bigint, in_files tsquery[], loose text, OUT found_in text, OUT lines text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT integer := 200;  -- characters of a line
    part record;
    place integer;
    row_number integer;
    shown text[];
    start integer;
BEGIN
    SELECT 'attachment ' || filename INTO found_in
    FROM ims.attachments
    WHERE issue_pk = wanted AND removed_at IS NULL AND filename ~* loose
    ORDER BY attachment_id LIMIT 1;
    FOR part IN
        SELECT file.filename, text.member, text.first_line, text.line_numbers, text.content
        FROM ims.attachments file
        JOIN ims.file_text_parts text ON text.user_id = file.user_id AND text.sha256 = file.sha256
        WHERE found_in IS NULL AND file.issue_pk = wanted AND file.removed_at IS NULL
          AND EXISTS (SELECT FROM unnest(in_files) AS term WHERE text.search_vector @@ term)
        ORDER BY file.attachment_id, text.position
    LOOP
        place := regexp_instr(part.content, loose, 1, 1, 0, 'i');
        found_in := concat('attachment ', part.filename, '!/' || nullif(part.member, ''));
        EXIT WHEN place = 0;  -- the member's name, or another form of a word
        row_number := regexp_count(left(part.content, place - 1), E'\n');
        found_in := found_in || ':' || coalesce(part.line_numbers[row_number + 1], part.first_line + row_number);
        shown := string_to_array(part.content, E'\n');
        -- Of a long line, what is around the hit.
        start := regexp_instr(shown[row_number + 1], loose, 1, 1, 0, 'i');
        shown[row_number + 1] := substr(shown[row_number + 1], greatest(start - longest / 2, 1), longest);
        SELECT string_agg(left(line, longest), E'\n' ORDER BY place_of) INTO lines
        FROM unnest(shown[greatest(row_number, 1) : row_number + 2]) WITH ORDINALITY AS around (line, place_of);
        EXIT;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION ims_private.file_place(bigint, tsquery[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.file_place(bigint, tsquery[], text) TO ims_searcher;

-- The first place in an issue's files that answers a question: in what is said about a file, else in a text, where the
-- vectors tell which pieces are to be looked through.
--
--   possessor  whose issue it is
--   in_files   a tsquery of each term; NULL or empty: only names are looked at
--   loose      of ims.hit_pattern
--   lines      the line and one on either side, each cut where it is long; NULL where it is the name
DROP FUNCTION IF EXISTS ims_private.file_place(bigint, tsquery[], text);
CREATE OR REPLACE FUNCTION ims_private.file_place(
    possessor integer, wanted bigint, in_files tsquery[], loose text, OUT found_in text, OUT lines text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT integer := 200;  -- characters of a line
    part record;
    place integer;
    before text;
    row_number integer;
    line text;
    start integer;
BEGIN
    SELECT 'attachment ' || filename INTO found_in
    FROM ims.attachments
    WHERE user_id = possessor AND issue_pk = wanted AND removed_at IS NULL AND filename ~* loose
    ORDER BY attachment_id LIMIT 1;
    FOR part IN
        SELECT file.filename, text.member, text.first_line, text.line_numbers, text.content
        FROM ims.attachments file
        JOIN ims.file_text_parts text ON text.user_id = file.user_id AND text.sha256 = file.sha256
        WHERE found_in IS NULL AND file.user_id = possessor AND file.issue_pk = wanted AND file.removed_at IS NULL
          AND EXISTS (SELECT FROM unnest(in_files) AS term WHERE text.search_vector @@ term)
        ORDER BY file.attachment_id, text.position
    LOOP
        place := regexp_instr(part.content, loose, 1, 1, 0, 'i');
        found_in := concat('attachment ', part.filename, '!/' || nullif(part.member, ''));
        EXIT WHEN place = 0;  -- the member's name, or another form of a word
        before := left(part.content, place - 1);
        row_number := 1 + octet_length(before) - octet_length(replace(before, E'\n', ''));
        found_in := found_in || ':' || coalesce(part.line_numbers[row_number], part.first_line + row_number - 1);
        line := split_part(part.content, E'\n', row_number);
        IF length(line) > longest THEN  -- what is around the hit
            start := regexp_instr(line, loose, 1, 1, 0, 'i');
            line := substr(line, greatest(start - longest / 2, 1), longest);
        END IF;
        lines := concat_ws(E'\n', CASE WHEN row_number > 1 THEN left(split_part(part.content, E'\n', row_number - 1), longest) END,
                           line, nullif(left(split_part(part.content, E'\n', row_number + 1), longest), ''));
        EXIT;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION ims_private.file_place(integer, bigint, tsquery[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.file_place(integer, bigint, tsquery[], text) TO ims_searcher;

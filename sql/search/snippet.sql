-- Where an issue answers a question, and a few words of it with <mark> around hits. It is text, not HTML: a < of its own
-- stays as it is.
--
-- The words come out of the description, else of the first comment that has one, else of a file: the line and one on
-- either side; else they are the beginning of the description.
--
--   possessor     whose issue it is
--   fields        the weights of the fields that are looked at
--   in_files      a tsquery of each term; NULL or empty: files have none
--   whole, loose  of ims.hit_pattern; loose where the other finds nothing
--   found_in      title; description; comment 3; attachment NAME, or with the line, in a member: NAME!/member:1204; NULL
--                 where it is not known, as for an issue's number
DROP FUNCTION IF EXISTS ims_private.snippet(bigint, text, text, text, tsquery[], text, text);
CREATE OR REPLACE FUNCTION ims_private.snippet(
    possessor integer, wanted bigint, title text, description text, fields text, in_files tsquery[], whole text, loose text,
    OUT found_in text, OUT snippet text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT integer := 200000;  -- characters
    ahead CONSTANT integer := 60;
    reach CONSTANT integer := 240;
    wide CONSTANT text := '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ';
    narrow CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    whole_description CONSTANT text := CASE WHEN octet_length(description) <= longest THEN description ELSE left(description, longest) END;
    document text := CASE WHEN fields LIKE '%B%' THEN whole_description END;
    pattern text := whole;
    place integer := nullif(regexp_instr(document, whole, 1, 1, 0, 'i'), 0);
    start integer;
    piece text;
    plain text;  -- the piece, letter by letter, as the pattern knows it
    stop integer := 1;
BEGIN
    IF place IS NULL AND loose IS NOT NULL THEN
        pattern := loose;
        place := nullif(regexp_instr(CASE WHEN document ~ '[０-ｚ]' THEN translate(document, wide, narrow) ELSE document END,
                                     loose, 1, 1, 0, 'i'), 0);
        IF place IS NULL AND fields LIKE '%C%' THEN
            SELECT left(content, longest), spot, 'comment ' || coalesce(comment_number, 1 + (
                       SELECT count(*) FROM ims.issue_comments before
                       WHERE before.user_id = possessor AND before.issue_pk = wanted AND before.removed_at IS NULL
                         AND before.comment_id < comment.comment_id))
            INTO document, place, found_in
            FROM (SELECT * FROM ims.issue_comments  -- not in the order of the whole table's key, whatever the planner thinks
                  WHERE user_id = possessor AND issue_pk = wanted AND removed_at IS NULL OFFSET 0) AS comment
            CROSS JOIN LATERAL (SELECT CASE WHEN content ~ '[０-ｚ]' THEN translate(left(content, longest), wide, narrow)
                                            ELSE left(content, longest) END AS plain) AS as_known
            CROSS JOIN LATERAL (SELECT nullif(regexp_instr(as_known.plain, loose, 1, 1, 0, 'i'), 0) AS spot) AS found
            WHERE spot IS NOT NULL
            ORDER BY comment_id LIMIT 1;
        END IF;
    END IF;
    IF place IS NOT NULL THEN
        found_in := coalesce(found_in, 'description');
    END IF;
    IF fields LIKE '%A%' AND (CASE WHEN title ~ '[０-ｚ]' THEN translate(title, wide, narrow) ELSE title END) ~* loose THEN
        found_in := 'title';
    ELSIF place IS NULL AND loose IS NOT NULL AND fields LIKE '%D%' THEN
        SELECT place_of.found_in, place_of.lines INTO found_in, piece
        FROM ims_private.file_place(possessor, wanted, in_files, loose) AS place_of;
    END IF;
    IF piece IS NULL THEN
        document := coalesce(document, whole_description, '');
        start := greatest(coalesce(place, 1) - ahead, 1);
        piece := substr(document, start, reach);
        IF start > 1 THEN  -- not in the middle of a word
            piece := substr(piece, regexp_instr(left(piece, 21), '\s') + 1);
        END IF;
        piece := btrim(regexp_replace(piece, '\s\s+|[^\S ]', ' ', 'g'));  -- each match costs: no single blank is one
    END IF;
    IF found_in IS NULL THEN
        snippet := piece;
        RETURN;
    END IF;
    plain := CASE WHEN piece ~ '[０-ｚ]' THEN translate(piece, wide, narrow) ELSE piece END;
    IF plain = piece THEN
        snippet := regexp_replace(piece, pattern, '<mark>\&</mark>', 'gi');
        RETURN;
    END IF;
    snippet := '';
    LOOP
        place := regexp_instr(plain, pattern, stop, 1, 0, 'i');
        EXIT WHEN place = 0;
        start := stop;
        stop := regexp_instr(plain, pattern, start, 1, 1, 'i');
        EXIT WHEN stop <= place;
        snippet := snippet || substr(piece, start, place - start) || '<mark>' || substr(piece, place, stop - place)
                   || '</mark>';
    END LOOP;
    snippet := snippet || substr(piece, stop);
END
$$;

REVOKE ALL ON FUNCTION ims_private.snippet(integer, bigint, text, text, text, tsquery[], text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.snippet(integer, bigint, text, text, text, tsquery[], text, text) TO ims_searcher;

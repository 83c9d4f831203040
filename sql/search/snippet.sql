-- A few words of an issue with <mark> around hits: out of its description, else of the first comment that has one, else
-- the beginning. It is text, not HTML: a < of its own stays as it is.
--
--   whole, loose  of ims.hit_pattern; loose where the other finds nothing
CREATE OR REPLACE FUNCTION ims_private.snippet(wanted bigint, description text, whole text, loose text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    longest CONSTANT integer := 200000;  -- characters
    ahead CONSTANT integer := 60;
    reach CONSTANT integer := 240;
    wide CONSTANT text := '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ';
    narrow CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    document text := left(description, longest);
    pattern text := whole;
    place integer := nullif(regexp_instr(document, whole, 1, 1, 0, 'i'), 0);
    start integer;
    piece text;
    plain text;  -- the piece, letter by letter, as the pattern knows it
    marked text := '';
    stop integer := 1;
BEGIN
    IF place IS NULL AND loose IS NOT NULL THEN
        pattern := loose;
        place := nullif(regexp_instr(CASE WHEN document ~ '[０-ｚ]' THEN translate(document, wide, narrow) ELSE document END,
                                     loose, 1, 1, 0, 'i'), 0);
        IF place IS NULL THEN
            SELECT left(content, longest), spot INTO document, place
            FROM ims.issue_comments
            CROSS JOIN LATERAL (SELECT CASE WHEN content ~ '[０-ｚ]' THEN translate(left(content, longest), wide, narrow)
                                            ELSE left(content, longest) END AS plain) AS as_known
            CROSS JOIN LATERAL (SELECT nullif(regexp_instr(as_known.plain, loose, 1, 1, 0, 'i'), 0) AS spot) AS found
            WHERE issue_pk = wanted AND removed_at IS NULL AND spot IS NOT NULL
            ORDER BY comment_id LIMIT 1;
        END IF;
    END IF;
    document := coalesce(document, left(description, longest), '');
    start := greatest(coalesce(place, 1) - ahead, 1);
    piece := substr(document, start, reach);
    IF start > 1 THEN  -- not in the middle of a word
        piece := regexp_replace(piece, '^\S{0,20}\s', '');
    END IF;
    piece := btrim(regexp_replace(piece, '\s+', ' ', 'g'));
    IF place IS NULL THEN
        RETURN piece;
    END IF;
    plain := CASE WHEN piece ~ '[０-ｚ]' THEN translate(piece, wide, narrow) ELSE piece END;
    LOOP
        place := regexp_instr(plain, pattern, stop, 1, 0, 'i');
        EXIT WHEN place = 0;
        start := stop;
        stop := regexp_instr(plain, pattern, start, 1, 1, 'i');
        EXIT WHEN stop <= place;
        marked := marked || substr(piece, start, place - start) || '<mark>' || substr(piece, place, stop - place) || '</mark>';
    END LOOP;
    RETURN marked || substr(piece, stop);
END
$$;

GRANT EXECUTE ON FUNCTION ims_private.snippet(bigint, text, text, text) TO ims_searcher;

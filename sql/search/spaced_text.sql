-- A text of ims.composed_text as it is indexed and asked for: words parted by spaces alone. A run of letters of the unspaced
-- scripts becomes its overlapping pairs and its last letter, with a mark where it starts: 전문검색 -> ǁ전문 문검 검색 색. A run
-- ends where the script changes as it does between words (は|京都, 接続|タイムアウト). Two neighbouring letters decide, so that a
-- text and a question about it are parted alike. A run that has something invisible inside starts without the mark, and is
-- found as a part of a word is.
CREATE OR REPLACE FUNCTION ims.spaced_text(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- These, and no others, the parser would take into a word.
    spaced text := replace(replace(replace(replace(replace(replace(replace(replace(replace(
        document, '.', ' '), '-', ' '), '/', ' '), '_', ' '), '@', ' '), '&', ' '), '<', ' '), '+', ' '), '~', ' ');
    odd boolean;  -- more than plain letters, Chinese and Korean ones
BEGIN
    IF octet_length(document) = char_length(document) THEN
        RETURN spaced;
    END IF;
    odd := spaced ~ '[^\u0001-\u007f\u3400-\u9fff가-힣]';
    IF odd THEN
        -- What no word has in it, whatever the operating system takes for a letter.
        spaced := regexp_replace(
            spaced, '[\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u2000-\u2bff\u3000-\u3004\u3008-\u3030'
                    '\u3099-\u309c\u30a0\u30fb\ufe10-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufff9-\uffff]+',
            ' ', 'g');
        -- Scripts of which little is asked: each letter for itself.
        IF spaced ~ '[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff]' THEN
            spaced := regexp_replace(spaced, '[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff]', ' \& ', 'g');
        END IF;
        IF spaced !~ '[\u3005-\U0010ffff]' THEN
            RETURN spaced;
        END IF;
    END IF;
    spaced := regexp_replace(spaced, '[\u3005-\U0010ffff]+', ' ǁ\& ', 'g');
    IF odd THEN
        IF spaced ~ '[\u30a1-\u30ff]|[\u3041-\u309f][\u3400-\u9fff]' THEN
            spaced := regexp_replace(
                spaced, '(?<=[\u3041-\u309f])[\u30a1-\u30ff\u3400-\u9fff]|(?<=[\u30a1-\u30ff])[\u3400-\u9fff]'
                        '|(?<=[\u3400-\u9fff])[\u30a1-\u30ff]', ' ǁ\&', 'g');
        END IF;
        spaced := replace(spaced, 'ǂ ǁ', ' ');
    END IF;
    -- Each letter but a run's first is written twice: the end of one pair and the start of the next.
    RETURN regexp_replace(spaced, '(?<=[\u3005-\U0010ffff])[\u3005-\U0010ffff]', '\& \&', 'g');
END
$$;

GRANT EXECUTE ON FUNCTION ims.spaced_text(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

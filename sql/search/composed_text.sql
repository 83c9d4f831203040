-- A text in one form of Unicode (NFKC: composed syllables and accents, full-width and half-width letters as their plain
-- ones), without marks that no letter takes and without what nobody sees (Default_Ignorable_Code_Point). A word with
-- something invisible inside is written otherwise than it looks: ǂ stands before it, and it counts less.
CREATE OR REPLACE FUNCTION ims.composed_text(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    composed text := document;
BEGIN
    IF composed !~ '[^\u0001-\u007f\u2010-\u2027\u3000-\u3029\u3030가-힣ぁ-ゖァ-ヺー-ヾ一-鿿（），．：；！？［］～]' THEN
        RETURN document;
    END IF;
    -- What nobody sees is looked for in plain letters, and without it others may compose.
    FOR pass IN 1 .. 2 LOOP
        -- Normalizing a long run of marks takes quadratic time: a text that might have one goes by pieces, which end where
        -- nothing composes.
        IF composed ~ '[^\u0001-\u007f가-힣ぁ-ゖァ-ヺー-ヾ一-鿿]{31}' THEN
            composed := (SELECT string_agg(normalize(piece[1], NFKC), '' ORDER BY place)
                         FROM regexp_matches(composed, '[\u0001-\u007f가-힣ぁ-ゖァ-ヺー-ヾ一-鿿]+[^\u0001-\u007f가-힣ぁ-ゖァ-ヺー-ヾ一-鿿]{0,200}'
                                                       '|[^\u0001-\u007f가-힣ぁ-ゖァ-ヺー-ヾ一-鿿]{1,200}', 'g')
                              WITH ORDINALITY AS pieces (piece, place));
        ELSE
            composed := normalize(composed, NFKC);
        END IF;
        EXIT WHEN pass = 2 OR composed !~ '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]';
        -- Words of spaced scripts, then runs of the others.
        composed := regexp_replace(composed,
            '[0-9A-Za-z\u00c0-\u034e\u0350-\u061b\u061d-\u10ff\u1200-\u17b3\u17b6-\u180a\u1810-\u1fff\u2c00-\u2dff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]+'
            '(?:[\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb\U000e0000-\U000e0fff]+'
            '[0-9A-Za-z\u00c0-\u034e\u0350-\u061b\u061d-\u10ff\u1200-\u17b3\u17b6-\u180a\u1810-\u1fff\u2c00-\u2dff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]+)+',
            'ǂ\&', 'g');
        composed := regexp_replace(composed,
            '[\u1100-\u115e\u1161-\u11ff\u3005-\u3007\u3041-\u30ff\u3131-\u3163\u3400-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+'
            '(?:[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]+'
            '[\u1100-\u115e\u1161-\u11ff\u3005-\u3007\u3041-\u30ff\u3131-\u3163\u3400-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+)+',
            'ǂ\&', 'g');
        composed := regexp_replace(composed,
            '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+',
            '', 'g');
    END LOOP;
    IF composed ~ '[\u0300-\u036f]' THEN
        composed := regexp_replace(composed, '[\u0300-\u036f]+', '', 'g');
    END IF;
    RETURN composed;
END
$$;

GRANT EXECUTE ON FUNCTION ims.composed_text(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

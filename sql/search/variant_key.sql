-- A word as all who write it otherwise would: without accents; kana as hiragana, without long vowels (サーバー, サーバ, さーば)
-- and small letters (ファイル, フアイル). crawler/query/variants.py has the same rule.
CREATE OR REPLACE FUNCTION ims.variant_key(word text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key text := word;
BEGIN
    IF key ~ '[\u00c0-\u024f\u0386-\u03ce\u0400-\u045f\u1e00-\u1fff]' THEN
        key := translate(replace(replace(replace(key, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'đøłħıŧ', 'dolhit');
        -- A Cyrillic й is a letter, ё an е with dots.
        key := replace(normalize(regexp_replace(normalize(replace(key, 'й', E'\u0001'), NFD), '[\u0300-\u036f]', '', 'g'), NFC),
                       E'\u0001', 'й');
    END IF;
    IF key ~ '[ぁ-ゖァ-ヺー]' THEN
        key := translate(
            replace(replace(replace(replace(key, 'ヴァ', 'バ'), 'ヴィ', 'ビ'), 'ヴェ', 'ベ'), 'ヴォ', 'ボ'),
            'ァィゥェォャュョッヮヵヶアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヰヱヲンガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヴぁぃぅぇぉゃゅょっゎゕゖぢづゔー',
            'あいうえおやゆよつわかけあいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわゐゑをんがぎぐげござじずぜぞだじずでどばびぶべぼぱぴぷぺぽぶあいうえおやゆよつわかけじずぶ');
        key := regexp_replace(key, '(?<=[えけせてねへめれげぜでべぺ])い', '', 'g');  -- フェイル, フェール
    END IF;
    RETURN key;
END
$$;

GRANT EXECUTE ON FUNCTION ims.variant_key(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

-- A regular expression that finds words as others may have written them: with accents, hyphens, blanks, long vowels, in
-- the other kana, with something invisible inside. Of lower-case words with single spaces; NULL where they are long.
CREATE OR REPLACE FUNCTION ims.variant_pattern(words text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    plain CONSTANT text := CASE WHEN words ~ '[ぁ-ヺ]' THEN words ELSE ims.variant_key(words) END;
    accented CONSTANT text := 'aeioucnsyzld';
    classes CONSTANT text[] := ARRAY[
        '[a\u00e0-\u00e5\u0101-\u0105\u1ea1-\u1eb7]', '[e\u00e8-\u00eb\u0113-\u011b\u1eb9-\u1ec7]',
        '[i\u00ec-\u00ef\u0129-\u012f\u1ec9-\u1ecb]', '[o\u00f2-\u00f8\u014d-\u0151\u1ecd-\u1ee3]',
        '[u\u00f9-\u00fc\u0169-\u0173\u1ee5-\u1ef1]', '[c\u00e7\u0107-\u010d]', '[n\u00f1\u0144-\u0148]', '[s\u015b-\u0161]',
        '[y\u00fd\u00ff\u1ef3-\u1ef9]', '[z\u017a-\u017e]', '[l\u0142]', '[d\u0111]'];
    letter text;
    following text := left(plain, 1);
    pattern text;
BEGIN
    IF char_length(words) > 40 THEN
        RETURN NULL;
    END IF;
    FOR place IN 1 .. char_length(plain) LOOP
        letter := following;
        following := substr(plain, place + 1, 1);
        pattern := concat(
            pattern,
            CASE WHEN letter = ' ' THEN ''
                 WHEN letter = 'ー' THEN 'ー?'
                 WHEN ascii(letter) BETWEEN 12449 AND 12534 THEN '[' || letter || chr(ascii(letter) - 96) || ']ー?'
                 WHEN ascii(letter) BETWEEN 12353 AND 12438 THEN '[' || letter || chr(ascii(letter) + 96) || ']ー?'
                 ELSE coalesce(classes[strpos(accented, letter)], letter) END,
            CASE WHEN following = '' THEN ''
                 WHEN letter = ' ' OR letter ~ '\d' <> (following ~ '\d') THEN '[-\s_.‐–−]?'
                 WHEN letter ~ '[가-힣]' THEN '[\s\u00ad\u200b-\u200f\u2060\ufeff]?'
                 ELSE '[-\u00ad\u0300-\u036f\u200b-\u200f\u2010\u2060\ufe0f\ufeff]?' END);
    END LOOP;
    RETURN pattern;
END
$$;

GRANT EXECUTE ON FUNCTION ims.variant_pattern(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

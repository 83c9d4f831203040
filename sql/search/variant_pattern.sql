-- A regular expression that finds words as others may have written them: with accents, hyphens, blanks, long vowels, in
-- the other kana, with something invisible inside. Of lower-case words with single spaces; NULL where they are long.
CREATE OR REPLACE FUNCTION ims.variant_pattern(words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT string_agg(
        CASE WHEN letter = ' ' THEN ''
             WHEN letter = 'ー' THEN 'ー?'
             WHEN ascii(letter) BETWEEN 12449 AND 12534 THEN '[' || letter || chr(ascii(letter) - 96) || ']ー?'
             WHEN ascii(letter) BETWEEN 12353 AND 12438 THEN '[' || letter || chr(ascii(letter) + 96) || ']ー?'
             ELSE CASE letter
                 WHEN 'a' THEN '[a\u00e0-\u00e5\u0101-\u0105\u1ea1-\u1eb7]' WHEN 'e' THEN '[e\u00e8-\u00eb\u0113-\u011b\u1eb9-\u1ec7]'
                 WHEN 'i' THEN '[i\u00ec-\u00ef\u0129-\u012f\u1ec9-\u1ecb]' WHEN 'o' THEN '[o\u00f2-\u00f8\u014d-\u0151\u1ecd-\u1ee3]'
                 WHEN 'u' THEN '[u\u00f9-\u00fc\u0169-\u0173\u1ee5-\u1ef1]' WHEN 'c' THEN '[c\u00e7\u0107-\u010d]'
                 WHEN 'n' THEN '[n\u00f1\u0144-\u0148]' WHEN 's' THEN '[s\u015b-\u0161]' WHEN 'y' THEN '[y\u00fd\u00ff\u1ef3-\u1ef9]'
                 WHEN 'z' THEN '[z\u017a-\u017e]' WHEN 'l' THEN '[l\u0142]' WHEN 'd' THEN '[d\u0111]' ELSE letter END
        END || CASE WHEN following = '' THEN ''
                    WHEN letter = ' ' OR letter ~ '\d' <> (following ~ '\d') THEN '[-\s_.‐–−]?'
                    WHEN letter ~ '[가-힣]' THEN '[\s\u00ad\u200b-\u200f\u2060\ufeff]?'
                    ELSE '[-\u00ad\u0300-\u036f\u200b-\u200f\u2010\u2060\ufe0f\ufeff]?' END, '' ORDER BY place)
    FROM (SELECT place, substr(plain, place, 1) AS letter, substr(plain, place + 1, 1) AS following
          FROM (SELECT CASE WHEN words ~ '[ぁ-ヺ]' THEN words ELSE ims.variant_key(words) END AS plain) AS accented
          CROSS JOIN generate_series(1, char_length(plain)) AS place) AS letters
    WHERE char_length(words) <= 40
);

GRANT EXECUTE ON FUNCTION ims.variant_pattern(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

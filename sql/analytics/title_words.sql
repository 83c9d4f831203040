-- The words of a title as people write them, in lower case, as often as they are in it: words and codes of letters and
-- digits, and of scripts without spaces the runs of one script. Japanese kana between them, one letter alone, bare numbers
-- and the commonest English words say nothing. Korean words are as they stand; ims.keyword_trends takes their particles off.
--
-- Put into its caller's query, for it is asked of very many titles. The pattern is of what parts words, and at its end of
-- places where one script meets another: one of words, put in again with a space each, takes two and a half times as long.
-- A space is none of it, since it parts words as it stands: each place found costs as much as the whole title.
DROP FUNCTION IF EXISTS ims.title_terms(text);
CREATE OR REPLACE FUNCTION ims.title_words(title text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5
AS $$
SELECT word
FROM string_to_table(
    CASE WHEN octet_length(left(title, 1000)) > char_length(left(title, 1000)) THEN
        regexp_replace(
            lower(CASE WHEN left(title, 1000) IS NFKC NORMALIZED THEN left(title, 1000)
                       ELSE normalize(left(title, 1000), NFKC) END),
            '[^a-z0-9\u00c0-\u02af\u0370-\u0df7가-힣ァ-ヺー一-鿿㐀-䶿々_.'' -]+'
            '|(?<![a-z0-9\u00c0-\u02af\u0370-\u0df7])[-_.'']+|[-_.'']+(?![a-z0-9\u00c0-\u02af\u0370-\u0df7])'
            '|(?<=[a-z0-9\u00c0-\u02af\u0370-\u0df7])(?=[가-힣ァ-ヺー一-鿿㐀-䶿々])'
            '|(?<=[가-힣])(?=[a-z0-9\u00c0-\u02af\u0370-\u0df7ァ-ヺー一-鿿㐀-䶿々])'
            '|(?<=[ァ-ヺー])(?=[a-z0-9\u00c0-\u02af\u0370-\u0df7가-힣一-鿿㐀-䶿々])'
            '|(?<=[一-鿿㐀-䶿々])(?=[a-z0-9\u00c0-\u02af\u0370-\u0df7가-힣ァ-ヺー])', ' ', 'g')
    ELSE
        regexp_replace(lower(left(title, 1000)), '[^a-z0-9_.'' -]+|(?<![a-z0-9])[-_.'']+|[-_.'']+(?![a-z0-9])', ' ', 'g')
    END, ' ') AS word
WHERE length(word) > 1
  AND (word >= 'a' COLLATE "C" OR ltrim(word, '0123456789._-') <> '')  -- most begin with a letter
  AND word <> ALL ('{a,an,and,are,as,at,be,been,but,by,can,cannot,could,did,do,does,for,from,had,has,have,how,if,in,into,
is,it,its,no,not,of,off,on,or,should,so,than,that,the,their,then,there,these,they,this,to,too,under,up,using,was,we,were,
what,when,where,which,while,who,why,will,with,would,you,your,after,before,only,out,over,via,use,used,doesn''t,don''t,can''t,
isn''t,won''t,및,등,시,수,후,때,이슈,관련,문의,하는,합니다,됩니다,안됨,않음}'::text[])
$$;

GRANT EXECUTE ON FUNCTION ims.title_words(text) TO ims_app, ims_user, ims_readonly, ims_admin;

-- The words of a title as people write them, each once, in lower case: words and codes of letters and digits, and of scripts
-- without spaces the runs of one script. Japanese kana between them, one letter alone, bare numbers and the commonest
-- English words say nothing. Korean words are as they stand; ims.keyword_trends takes their particles off.
CREATE OR REPLACE FUNCTION ims.title_terms(title text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    plain text := left(title, 1000);
BEGIN
    IF octet_length(plain) > char_length(plain) THEN
        plain := regexp_replace(
            lower(normalize(plain, NFKC)),
            '([a-z0-9\u00c0-\u02af\u0370-\u0df7]+(?:[-_.''][a-z0-9\u00c0-\u02af\u0370-\u0df7]+)*|[가-힣]+|[ァ-ヺー]+'
            '|[一-鿿㐀-䶿々]+)|.', '\1 ', 'g');
    ELSE
        plain := regexp_replace(lower(plain), '[^a-z0-9_.''-]+|(?<![a-z0-9])[-_.'']+|[-_.'']+(?![a-z0-9])', ' ', 'g');
    END IF;
    RETURN (
        SELECT coalesce(array_agg(DISTINCT word), '{}')
        FROM string_to_table(plain, ' ') AS word
        WHERE length(word) > 1
          AND ltrim(word, '0123456789._-') <> ''
          AND word <> ALL ('{a,an,and,are,as,at,be,been,but,by,can,cannot,could,did,do,does,for,from,had,has,have,how,if,in,into,
is,it,its,no,not,of,off,on,or,should,so,than,that,the,their,then,there,these,they,this,to,too,under,up,using,was,we,were,
what,when,where,which,while,who,why,will,with,would,you,your,after,before,only,out,over,via,use,used,doesn''t,don''t,can''t,
isn''t,won''t,및,등,시,수,후,때,이슈,관련,문의,하는,합니다,됩니다,안됨,않음}'::text[]));
END
$$;

GRANT EXECUTE ON FUNCTION ims.title_terms(text) TO ims_app, ims_user, ims_readonly, ims_admin;

-- What a lexeme of a vector tells when issues are compared: a query for it (a character 1 where a weight may stand), as what
-- it is shown, and how much it counts beside a word of prose. All NULL where it tells nothing: stop words, greetings and
-- thanks in three languages, letters, small numbers, parts and variants of names.
CREATE OR REPLACE FUNCTION ims_private.telling(lexeme text, OUT query text, OUT shown text, OUT worth real)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    word CONSTANT text := ltrim(lexeme, 'ǁǂ');
BEGIN
    IF lexeme LIKE 'ǃ%' THEN  -- a frame of a stack
        query := quote_literal(lexeme) || E':\u0001';
        shown := replace(substr(lexeme, 2), 'ǃ', '.');
        worth := 4;
    ELSIF word ~ '^[a-z]{2,12}[0-9]{2,9}$' THEN  -- a code, which has or has not a hyphen
        query := format(E'(%L:\u0001 | %L:\u0001)', word, 'ǂ' || word);
        shown := word;
        worth := 3;
    ELSIF lexeme ~ '^[ǀǂ]' OR char_length(word) = 1 OR octet_length(word) > 200 THEN
        NULL;
    ELSIF word >= U&'\3005' COLLATE "C" THEN
        IF word ~ '[^ぁ-ゖー]' AND word <> ALL ('{안녕,녕하,하세,세요,하십,십니,시오,니다,습니,합니,입니,됩니,립니,드립,부탁,감사,사합,하겠,겠습,있습,없습,었습,았습,하였,였습,니까,에서,으로,하고,하는,해서,하여,에는,에게,까지,부터,이며,지만,그리,리고,그런,런데,하지,주시,시기,바랍,랍니,문의,의드,확인,고객,담당,수고,고하,お世,世話,話に,願い,致し,下さ,御中,様お,了解,確認,対応}'::text[]) THEN
            query := quote_literal(lexeme) || E':\u0001';
            shown := word;
            worth := 0.6;
        END IF;
    ELSIF word ~ '^[0-9]+$' THEN
        IF char_length(word) > 2 THEN
            query := quote_literal(word) || E':\u0001';
            shown := word;
            worth := CASE WHEN char_length(word) > 3 THEN 1 ELSE 0.5 END;
        END IF;
    ELSIF ts_lexize('english_stem', word) <> '{}' AND word <> ALL ('{hi,hello,dear,hey,thank,thanks,thx,please,pls,regards,best,kind,sincerely,cheers,sorry,welcome,good,morning,afternoon,would,could,should,may,might,must,shall,also,still,however,during,already,again,since,yet,see,seen,look,looks,like,get,got,want,need,know,think,make,made,let,use,used,using,try,tried,way,work,works,working,issue,issues,problem,ticket,case,bug,close,closed,open,opened,reopen,resolved,resolve,fix,fixed,duplicate,customer,support,team,asap,attached,attachment,attach,file,log,info,information,update,updated,question,help,today,tomorrow,yesterday,week,one,two,first,ok,okay,yes,re,fw,fwd,cc,http,https,www,com}'::text[]) THEN
        query := (SELECT '(' || string_agg(quote_literal(form) || E':\u0001', ' | ') || ')' FROM unnest(ims.word_forms(word)) AS form);
        shown := word;
        worth := 1;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION ims_private.telling(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.telling(text) TO ims_searcher;

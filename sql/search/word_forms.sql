-- The forms of an English word: what the usual endings make of its stem, as far as the stemmer takes them back to it.
-- Any other word has no form but itself. In the order of their letters.
CREATE OR REPLACE FUNCTION ims.word_forms(word text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stem text;
    forms text[];
BEGIN
    IF word !~ '^[a-z]{3,40}$' THEN
        RETURN ARRAY[word];
    END IF;
    stem := (ts_lexize('ims.stem', word))[1];
    IF stem LIKE '%i' THEN  -- queri, of query
        forms := ARRAY[left(stem, -1) || 'y', left(stem, -1) || 'ying', stem || 'es', stem || 'ed', stem || 'er', stem || 'ers'];
    ELSE
        forms := ARRAY[stem, stem || 's', stem || 'es', stem || 'ed', stem || 'ing', stem || 'ings', stem || 'er', stem || 'ers',
                       stem || 'or', stem || 'ors', stem || 'ion', stem || 'ions', stem || 'ation', stem || 'ations',
                       stem || 'al', stem || 'ally', stem || 'ive', stem || 'able', stem || 'ance', stem || 'ence',
                       stem || 'ment', stem || 'ments', stem || 'ly', stem || 'y'];
        IF stem ~ '[^aeiou]$' THEN  -- writ, of write
            forms := forms || ARRAY[stem || 'e', stem || 'ely', stem || 'ement'];
        END IF;
        IF stem ~ '[bdfglmnprt]$' THEN  -- stop, of stopped
            forms := forms || ARRAY[stem || right(stem, 1) || 'ed', stem || right(stem, 1) || 'ing',
                                    stem || right(stem, 1) || 'er', stem || right(stem, 1) || 'ers'];
        END IF;
    END IF;
    RETURN (SELECT array_agg(DISTINCT form COLLATE "C") FROM unnest(forms || word) AS form
            WHERE form = word OR (ts_lexize('ims.stem', form))[1] = stem);
END
$$;

GRANT EXECUTE ON FUNCTION ims.word_forms(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

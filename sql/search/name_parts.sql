-- What the names in a text are also found by, of ims.composed_text. With a mark ǀ the parts of those that are written in
-- one: memory of OutOfMemoryError, 99 of SVC99. With a mark ǂ what others write in one, ora01555 of ORA-01555 and timeout
-- of time-out, and the key of a Japanese loanword that others write longer or shorter (ims.variant_key).
-- A character 1 parts fields, in the text and in the answer; each field's parts end with a bare mark.
CREATE OR REPLACE FUNCTION ims.name_parts(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN regexp_replace(
        (SELECT string_agg(
             CASE WHEN name[2] <> '' THEN CASE WHEN name[2] ~ '[ーヴァィゥェォ]|[ケセテネヘメレゲゼデベペ]イ'
                                               THEN ' ǂ' || ims.variant_key(name[2]) END
                  WHEN name[3] <> '' THEN ' ǀ' || name[3] || ' ǀ' || name[4]
                  WHEN name[5] <> '' THEN
                      concat(' ǂ', lower(translate(name[5], '-‐–−', '')),
                             CASE WHEN name[5] ~ '[a-z][A-Z]' THEN ' ǀ' || regexp_replace(name[5], '[-‐–−]', ' ǀ', 'g') END)
                  ELSE ' ǀ' || name[1] END, '')
         FROM regexp_matches(
             document, '([A-Za-z]*(?:[a-z][A-Z]|[A-Z]{2}[a-z])[A-Za-z]*|\u0001)|([ァ-ヺー]{2,})|(?<![0-9A-Za-z])([A-Za-z]{2,})([0-9]+)'
                       '|([A-Za-z]+(?:[-\u2010\u2013\u2212][0-9A-Za-z]+)+)', 'g') AS name),
        '[a-z](?=[A-Z])|[A-Z](?=[A-Z][a-z])', '\& ǀ', 'g');
END
$$;

GRANT EXECUTE ON FUNCTION ims.name_parts(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

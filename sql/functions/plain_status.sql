-- A status word as all of its spellings have it: case, white space at its ends and how much between its parts do not count.
CREATE OR REPLACE FUNCTION ims.plain_status(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN lower(btrim(regexp_replace(word, '[\s\u00a0]+', ' ', 'g')));

GRANT EXECUTE ON FUNCTION ims.plain_status(text) TO ims_app, ims_user, ims_readonly, ims_admin;

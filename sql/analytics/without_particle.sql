-- A Korean word of three letters or more without what may be its particle, of which two letters remain; any other word as
-- it is. Whether it was one, a single word does not tell.
CREATE OR REPLACE FUNCTION ims.without_particle(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN word ~ '^[가-힣]{3,}$'
    THEN regexp_replace(word, '^([가-힣]{2,}?)(?:에서의|으로의|에서는|에서|에게|으로|까지|부터|이나|이|가|은|는|을|를|의|에|와|과|도|로|만)$', '\1')
    ELSE word END;

GRANT EXECUTE ON FUNCTION ims.without_particle(text) TO ims_app, ims_user, ims_readonly, ims_admin;

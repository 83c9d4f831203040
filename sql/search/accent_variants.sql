-- A vector with its accented words also as those write them who leave the accents out, marked, in the same places.
CREATE OR REPLACE FUNCTION ims.accent_variants(vector tsvector) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN concat(vector, (
        SELECT string_agg(
            concat(' ''ǂ', replace(replace(ims.variant_key(lexeme), '\', '\\'), '''', ''''''), '''',
                   ':' || nullif((SELECT string_agg(place || weight, ',') FROM unnest(positions, weights) AS at (place, weight)), '')),
            '')
        FROM unnest(vector)
        WHERE lexeme ~ '[\u00df-\u024f\u0386-\u03ce\u0451\u1e00-\u1fff]' AND lexeme !~ '[ǀ-ǃ\u3005-\U0010ffff]'
          AND octet_length(lexeme) < 1000
    ))::tsvector;
END
$$;

GRANT EXECUTE ON FUNCTION ims.accent_variants(tsvector) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

-- A piece of a file's text is found by the name of its member (A) and its words (D).
CREATE OR REPLACE FUNCTION ims_private.refresh_part_vector() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.search_vector := ims.document_vector(NEW.user_id, NEW.member, NULL, NULL, NEW.content);
    RETURN NEW;
END
$$;

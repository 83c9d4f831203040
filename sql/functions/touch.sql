-- The time of a row's last change.
CREATE OR REPLACE FUNCTION ims_private.touch() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := transaction_timestamp();
    RETURN NEW;
END
$$;

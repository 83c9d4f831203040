-- Wait until nobody else refreshes the summaries of whoever asks, and keep others waiting until the transaction ends. A
-- row of a private table, as an advisory key is everybody's to hold; as the owner, so that a caller reaches their own row
-- and no other.
CREATE OR REPLACE FUNCTION ims.lock_refresh() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me CONSTANT integer := ims.current_user_id();
BEGIN
    INSERT INTO ims_private.refresh_locks (user_id) SELECT me WHERE me IS NOT NULL ON CONFLICT DO NOTHING;
    PERFORM FROM ims_private.refresh_locks WHERE user_id = me FOR UPDATE;
END
$$;

GRANT EXECUTE ON FUNCTION ims.lock_refresh() TO ims_app, ims_user, ims_admin;

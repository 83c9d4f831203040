-- Does this transaction see everybody's rows? Admins and analysts do, unless it has set ims.own_rows to "on", which only
-- ever takes away: so anybody may set it, and nobody gains by clearing it.
CREATE OR REPLACE FUNCTION ims.sees_everybody() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(ims.current_user_role() IN ('admin', 'readonly'), false)
           AND current_setting('ims.own_rows', true) IS DISTINCT FROM 'on';
END
$$;

GRANT EXECUTE ON FUNCTION ims.sees_everybody() TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

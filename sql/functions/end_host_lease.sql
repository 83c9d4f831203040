-- Give a share of a host back. As the owner, since leases are nobody's rows; whoever knows a lease's number holds it.
CREATE OR REPLACE FUNCTION ims.end_host_lease(wanted_lease uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM ims_private.host_leases WHERE lease = wanted_lease;
END
$$;

GRANT EXECUTE ON FUNCTION ims.end_host_lease(uuid) TO ims_app;

-- Row security on, for the owner too; no policies, no grants: the point that every policy set starts from.
CREATE OR REPLACE FUNCTION ims_private.close_table(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    policy record;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    FOR policy IN SELECT polname FROM pg_policy WHERE polrelid = target LOOP
        EXECUTE format('DROP POLICY %I ON %s', policy.polname, target);
    END LOOP;
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, ims_app, ims_user, ims_acting_user, ims_readonly, ims_admin, '
                   'ims_searcher, ims_login_maker', target);
END
$$;

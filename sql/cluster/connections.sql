-- Who may connect to this database, and how often: nobody who is no login of ours, analysts without temporary tables, a
-- person no more often than their tools need. Run by an administrator; what is missing yet is made with its limit.
DO $$
DECLARE
    here CONSTANT text := pg_catalog.quote_ident(pg_catalog.current_database());
    login text;
BEGIN
    EXECUTE 'REVOKE CONNECT, TEMPORARY ON DATABASE ' || here || ' FROM PUBLIC';
    EXECUTE 'GRANT CONNECT ON DATABASE ' || here || ' TO ims_app, ims_user, ims_readonly, ims_admin';
    -- A crawl's rows go through temporary tables, with the group of its user.
    EXECUTE 'GRANT TEMPORARY ON DATABASE ' || here || ' TO ims_app, ims_user, ims_admin';
    IF pg_catalog.to_regclass('ims_private.identities') IS NOT NULL THEN
        FOR login IN SELECT role.rolname FROM ims_private.identities known
                     JOIN pg_catalog.pg_roles role ON role.oid = known.login_oid WHERE role.rolconnlimit = -1 LOOP
            EXECUTE pg_catalog.format('ALTER ROLE %I CONNECTION LIMIT 20', login);
        END LOOP;
    END IF;
END
$$;

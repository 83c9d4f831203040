-- The three schemas: ims is what users see, ims_private what only our own functions see, ims_jobs the queue, which only
-- the application's login sees. Run by an administrator.
CREATE SCHEMA IF NOT EXISTS ims AUTHORIZATION ims_owner;
CREATE SCHEMA IF NOT EXISTS ims_private AUTHORIZATION ims_owner;
CREATE SCHEMA IF NOT EXISTS ims_jobs AUTHORIZATION ims_owner;

REVOKE ALL ON SCHEMA ims, ims_private, ims_jobs FROM PUBLIC;
GRANT USAGE ON SCHEMA ims_jobs TO ims_app;
GRANT USAGE ON SCHEMA ims TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher, ims_login_maker;
GRANT USAGE ON SCHEMA ims_private TO ims_login_maker, ims_searcher;

-- What is made later starts closed, functions included.
ALTER DEFAULT PRIVILEGES FOR ROLE ims_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ims_owner REVOKE ALL ON TABLES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ims_owner REVOKE ALL ON SEQUENCES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ims_owner REVOKE ALL ON TYPES FROM PUBLIC;

-- Nobody puts files into the database: large objects belong to no table, so no row security and no bound holds them.
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea)
    FROM PUBLIC;

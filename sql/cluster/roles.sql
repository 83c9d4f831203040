-- The roles. They belong to the cluster, so that several databases of one share them: everything here may already
-- be there. Run by an administrator, who holds the lock that keeps two databases from doing it at once.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('ims_owner', 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT'),
            ('ims_user', 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT'),
            ('ims_readonly', 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT'),
            ('ims_admin', 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT'),
            -- as which the program acts for an ordinary user: what a personal login has, and DELETE, which it has not,
            -- since whoever may delete from a table may also lock all of it
            ('ims_acting_user', 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION INHERIT'),
            -- whoever is in it may act for others
            ('ims_delegate', 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT'),
            -- owns the search function and no table
            ('ims_searcher', 'NOLOGIN NOSUPERUSER BYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT'),
            -- owns the functions that make and close personal logins, and no table
            ('ims_login_maker', 'NOLOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE NOCREATEDB NOREPLICATION NOINHERIT'),
            -- owns the function that ends the connections of a disabled user's login
            ('ims_disconnector', 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION INHERIT'),
            -- NOINHERIT: without an identity it has its own grants only
            ('ims_app', 'LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT')
        ) AS roles (name, attributes)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
        ELSE
            EXECUTE pg_catalog.format('ALTER ROLE %I %s', wanted.name, wanted.attributes);
        END IF;
    END LOOP;
END
$$;

GRANT ims_user TO ims_acting_user;
GRANT ims_delegate, ims_user, ims_acting_user, ims_readonly, ims_admin TO ims_app;
-- A personal login gets the group of its user's role.
GRANT ims_user, ims_readonly, ims_admin TO ims_login_maker WITH ADMIN OPTION;
GRANT pg_signal_backend TO ims_disconnector;

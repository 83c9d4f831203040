-- Close a table, bound what is written into it, and let each group at its rows. The one condition is said twice, once as
-- a ceiling: a permissive policy that somebody adds later widens nothing.
--
--   ims_user, ims_app   everything with rows of one's own; never an identity column, which would tell taken numbers, and
--                       nothing with the table as a whole: a personal login that may lock it would stop everybody. So
--                       only the program deletes (ims_app, and ims_acting_user, which it becomes)
--   ims_admin           everything, for somebody who acts as an admin
--   ims_readonly        looking, for somebody who acts as an analyst
CREATE OR REPLACE FUNCTION ims_private.protect_table(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- The sub-select makes it one evaluation a query, not one a row.
    own CONSTANT text := 'user_id = (SELECT ims.current_user_id())';
    -- Who sees everybody's rows may ask for their own only.
    shown CONSTANT text := ' AND ((SELECT ims.row_scope()) = ''everybody'' OR ' || own || ')';
    admin CONSTANT text := '(SELECT ims.current_user_role()) = ''admin''' || shown;
    analyst CONSTANT text := '(SELECT ims.current_user_role()) = ''readonly''' || shown;
    writable text;
BEGIN
    PERFORM ims_private.close_table(target);
    PERFORM ims_private.bound_columns(target);

    EXECUTE format('CREATE POLICY own_rows ON %s TO ims_user, ims_app USING (%s) WITH CHECK (%2$s)', target, own);
    EXECUTE format('CREATE POLICY own_ceiling ON %s AS RESTRICTIVE TO ims_user, ims_app '
                   'USING (%s) WITH CHECK (%2$s)', target, own);
    EXECUTE format('CREATE POLICY admin_rows ON %s TO ims_admin USING (%s) WITH CHECK (%2$s)', target, admin);
    EXECUTE format('CREATE POLICY admin_ceiling ON %s AS RESTRICTIVE TO ims_admin '
                   'USING (%s) WITH CHECK (%2$s)', target, admin);
    EXECUTE format('CREATE POLICY readonly_rows ON %s FOR SELECT TO ims_readonly USING (%s)', target, analyst);
    EXECUTE format('CREATE POLICY readonly_ceiling ON %s AS RESTRICTIVE TO ims_readonly '
                   'USING (%s) WITH CHECK (false)', target, analyst);

    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO writable
    FROM pg_attribute
    WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attidentity = '';
    EXECUTE format('GRANT SELECT, INSERT (%s), UPDATE (%1$s) ON %s TO ims_user, ims_app', writable, target);
    EXECUTE format('GRANT DELETE ON %s TO ims_acting_user, ims_app', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO ims_admin', target);
    EXECUTE format('GRANT SELECT ON %s TO ims_readonly', target);
END
$$;

-- Every object of our two schemas as one line of text, in an order that depends on names only.
WITH ours AS (
    SELECT oid, oid::regnamespace::text AS name FROM pg_namespace WHERE nspname IN ('ims', 'ims_private')
), tables AS (
    SELECT c.oid, c.oid::regclass::text AS name, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
           c.relacl, c.reloptions
    FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm')
), lines AS (
    SELECT name, 0 AS section, 0 AS place,
           format('%s %s owner %s%s%s%s',
                  CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' ELSE 'materialized view' END,
                  name, relowner::regrole,
                  CASE WHEN relrowsecurity THEN ', row security' END, CASE WHEN relforcerowsecurity THEN ', forced' END,
                  ', ' || array_to_string(reloptions, ', ')) AS line
    FROM tables
    UNION ALL
    SELECT t.name, 1, a.attnum,
           format('    column %I %s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                  CASE WHEN a.attnotnull THEN ' not null' END,
                  ' default ' || pg_get_expr(d.adbin, d.adrelid),
                  CASE a.attidentity WHEN 'd' THEN ' identity' WHEN 'a' THEN ' identity always' END,
                  CASE WHEN a.attstorage <> y.typstorage THEN ' storage ' || a.attstorage::text END)
    FROM tables t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT t.name, 2, row_number() OVER (PARTITION BY t.oid ORDER BY c.conname COLLATE "C"),
           format('    constraint %I %s', c.conname, pg_get_constraintdef(c.oid))
    FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT t.name, 3, row_number() OVER (PARTITION BY t.oid ORDER BY i.indexrelid::regclass::text COLLATE "C"),
           '    index ' || pg_get_indexdef(i.indexrelid)
    FROM tables t JOIN pg_index i ON i.indrelid = t.oid
    UNION ALL
    SELECT t.name, 4, row_number() OVER (PARTITION BY t.oid ORDER BY g.tgname COLLATE "C"),
           '    trigger ' || pg_get_triggerdef(g.oid)
    FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT t.name, 5, row_number() OVER (PARTITION BY t.oid ORDER BY p.polname COLLATE "C"),
           format('    policy %I %s for %s to %s%s%s', p.polname,
                  CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
                  CASE p.polcmd WHEN '*' THEN 'all' WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert'
                                WHEN 'w' THEN 'update' ELSE 'delete' END,
                  (SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles)),
                  ' using ' || pg_get_expr(p.polqual, p.polrelid), ' check ' || pg_get_expr(p.polwithcheck, p.polrelid))
    FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT t.name, 6, row_number() OVER (PARTITION BY t.oid ORDER BY g.grantee, g.what),
           format('    grant %s to %s', g.what, g.grantee)
    FROM tables t
    CROSS JOIN LATERAL (
        SELECT acl.grantee::regrole::text AS grantee, string_agg(lower(acl.privilege_type), ', ' ORDER BY acl.privilege_type) AS what
        FROM aclexplode(t.relacl) acl WHERE acl.grantee <> t.relowner GROUP BY acl.grantee
        UNION ALL
        SELECT acl.grantee::regrole::text,
               format('%s (%s)', lower(acl.privilege_type), string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum))
        FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) acl
        WHERE a.attrelid = t.oid AND NOT a.attisdropped GROUP BY acl.grantee, acl.privilege_type
    ) g
    UNION ALL
    SELECT 'function', 7, row_number() OVER (ORDER BY p.oid::regprocedure::text COLLATE "C"),
           format('function %s returns %s%s%s%s owner %s, %s, for %s', p.oid::regprocedure, pg_get_function_result(p.oid),
                  CASE p.provolatile WHEN 'i' THEN ' immutable' WHEN 's' THEN ' stable' ELSE ' volatile' END,
                  CASE WHEN p.prosecdef THEN ' security definer' END,
                  CASE p.proparallel WHEN 's' THEN ' parallel safe' END,
                  p.proowner::regrole, array_to_string(p.proconfig, ', '),
                  coalesce((SELECT string_agg(acl.grantee::regrole::text, ', ' ORDER BY acl.grantee::regrole::text)
                            FROM aclexplode(p.proacl) acl WHERE acl.grantee <> p.proowner), 'nobody else'))
    FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
)
SELECT line FROM lines ORDER BY section = 7, name COLLATE "C", section, place

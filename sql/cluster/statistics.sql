-- No statistics of what is in a column: by its estimates the planner would tell everybody of everybody's values, also
-- past row security. How many rows and pages a table has, stays known.
--
-- Run by an administrator at the end of every init and upgrade: columns that are new are closed, and figures that an
-- earlier version, a restored dump or an owner's command left are taken away.
DO $$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT c.oid::regclass AS relation,
               CASE WHEN i.indexrelid IS NULL THEN 'TABLE' ELSE 'INDEX' END AS kind,
               CASE WHEN i.indexrelid IS NULL THEN quote_ident(a.attname) ELSE a.attnum::text END AS field
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_index i ON i.indexrelid = c.oid
        WHERE c.relnamespace IN ('ims'::regnamespace, 'ims_private'::regnamespace)
          -- of an index only its expressions have figures of their own
          AND (c.relkind IN ('r', 'p', 'm', 'f') OR i.indkey[a.attnum - 1] = 0)
          AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget IS DISTINCT FROM 0
    LOOP
        EXECUTE format('ALTER %s %s ALTER COLUMN %s SET STATISTICS 0', place.kind, place.relation, place.field);
    END LOOP;
    FOR place IN
        SELECT stxnamespace::regnamespace AS home, stxname FROM pg_statistic_ext
        WHERE stxrelid IN (SELECT oid FROM pg_class
                           WHERE relnamespace IN ('ims'::regnamespace, 'ims_private'::regnamespace))
    LOOP
        EXECUTE format('DROP STATISTICS %s.%I', place.home, place.stxname);
    END LOOP;
    DELETE FROM pg_statistic
    WHERE starelid IN (SELECT oid FROM pg_class
                       WHERE relnamespace IN ('ims'::regnamespace, 'ims_private'::regnamespace));

    -- What the planner is told of two columns is made up, and the same in every database: an owner has a quarter of a table,
    -- and next to nothing has a tombstone. Left to itself it takes owners for so many, and rows without a tombstone for so
    -- few, that reading all rows of an owner would be cheap.
    INSERT INTO pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct,
                              stakind1, stakind2, stakind3, stakind4, stakind5, staop1, staop2, staop3, staop4, staop5,
                              stacoll1, stacoll2, stacoll3, stacoll4, stacoll5)
    SELECT a.attrelid, a.attnum, false, told.nulls, told.width, told.different, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN (VALUES ('user_id', 0, 4, 4), ('removed_at', 0.99, 8, -0.01)) AS told (field, nulls, width, different)
        ON told.field = a.attname
    WHERE c.relnamespace = 'ims'::regnamespace AND c.relkind = 'r';
END
$$;

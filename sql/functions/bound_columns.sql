-- What may stand in a column that people write: the one policy for every table, so that no row of somebody's breaks the
-- figures of those who count everybody's, nor a driver that has no such date. By type, unless the column has a line of its
-- own; keys are bounded by what they point to. ims_private.protect_table calls it, so that a new table and a new column
-- have their bounds without a word; db/models/bounds.py says the same to the program, and a test holds the two together.
--
-- A constraint that is there stays as it is: a migration that changes a bound drops it and mends the rows first.
CREATE OR REPLACE FUNCTION ims_private.bound_columns(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $$
DECLARE
    relation CONSTANT text := (SELECT relname FROM pg_class WHERE oid = target);
    wanted record;
BEGIN
    FOR wanted IN
        WITH by_type (of_type, bound) AS (VALUES
            -- Years 1 to 9999 wherever the reader is, which leaves out the infinities.
            ('timestamptz', $b$%1$I BETWEEN '0001-01-03 00:00:00+00' AND '9999-12-29 00:00:00+00'$b$),
            ('date', $b$%1$I BETWEEN '0001-01-01' AND '9999-12-31'$b$),
            -- Sums of as many rows as there can be stay within the next larger type.
            ('int2', '%1$I BETWEEN 0 AND 30000'),
            ('int4', '%1$I BETWEEN 0 AND 1000000000'),
            ('int8', '%1$I BETWEEN 0 AND 1000000000000000000'),
            ('float8', '%1$I BETWEEN 0 AND 1000000000000'),  -- NaN is larger than any number
            ('jsonb', $b$jsonb_typeof(%1$I) = 'object'$b$)
        ), by_name (of_table, column_name, bound) AS (VALUES
            ('trackers', 'rate', '%1$I BETWEEN 0.000277 AND 1000'),  -- a second: one an hour or more
            ('trackers', 'concurrency', '%1$I BETWEEN 1 AND 64'),
            ('trackers', 'name', 'char_length(%1$I) <= 200'),
            ('trackers', 'kind', 'char_length(%1$I) <= 200'),
            ('trackers', 'base_url', 'char_length(%1$I) <= 2000'),
            ('trackers', 'username', 'char_length(%1$I) <= 1000'),
            ('trackers', 'timezone', 'char_length(%1$I) <= 200'),
            ('saved_searches', 'name', 'char_length(%1$I) <= 200'),
            ('saved_searches', 'query', 'char_length(%1$I) <= 2000000'),  -- a thousand terms of a thousand letters
            ('saved_searches', 'product', 'char_length(%1$I) <= 1000'),
            ('saved_searches', 'cron', 'char_length(%1$I) <= 1000'),
            ('saved_searches', 'timezone', 'char_length(%1$I) <= 200'),
            ('users', 'username', 'char_length(%1$I) <= 200'),
            ('users', 'email', 'char_length(%1$I) <= 1000'),
            ('users', 'full_name', 'char_length(%1$I) <= 1000'),
            ('users', 'department', 'char_length(%1$I) <= 1000'),
            ('crawl_sessions', 'original_query', 'char_length(%1$I) <= 2000000'),
            ('crawl_sessions', 'parsed_query', 'char_length(%1$I) <= 2000000'),
            ('crawl_sessions', 'query_language', 'char_length(%1$I) <= 200'),
            ('crawl_sessions', 'product', 'char_length(%1$I) <= 1000'),
            ('search_queries', 'original_query', 'char_length(%1$I) <= 2000000'),
            ('search_queries', 'parsed_query', 'char_length(%1$I) <= 2000000'),
            ('search_queries', 'query_language', 'char_length(%1$I) <= 200'),
            ('search_queries', 'product', 'char_length(%1$I) <= 1000'),
            ('search_queries', 'parsing_method', 'char_length(%1$I) <= 200'),
            ('search_queries', 'parsing_confidence', '%1$I BETWEEN 0 AND 1'),
            ('runs', 'queue', 'char_length(%1$I) <= 200'),
            ('alerts', 'command', 'char_length(%1$I) <= 200'),
            ('alerts', 'cron', 'char_length(%1$I) <= 1000'),
            ('alerts', 'timezone', 'char_length(%1$I) <= 200'),
            ('tracker_states', 'word', 'char_length(%1$I) <= 600'),  -- part of an index
            ('analytics_daily', 'top_queries', $b$jsonb_typeof(%1$I) = 'array'$b$),
            ('analytics_monthly', 'year', '%1$I BETWEEN 1 AND 9999'),
            ('analytics_monthly', 'month', '%1$I BETWEEN 1 AND 12'),
            ('audit_log', 'old_value', NULL),  -- written by triggers, whatever the rows were
            ('audit_log', 'new_value', NULL)
        )
        SELECT column_of.attname, format('%s_%s_check', relation, column_of.attname) AS name,
               format(CASE WHEN by_name.of_table IS NULL THEN by_type.bound ELSE by_name.bound END, column_of.attname) AS bound
        FROM pg_attribute column_of
        LEFT JOIN by_name ON by_name.of_table = relation AND by_name.column_name = column_of.attname
        LEFT JOIN by_type ON by_type.of_type::regtype = column_of.atttypid
        WHERE column_of.attrelid = target AND column_of.attnum > 0 AND NOT column_of.attisdropped
          AND column_of.attidentity = ''
          AND NOT EXISTS (SELECT FROM pg_constraint key
                          WHERE key.conrelid = target AND key.contype = 'f' AND column_of.attnum = ANY (key.conkey))
        ORDER BY column_of.attnum
    LOOP
        IF wanted.bound IS NOT NULL
           AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = wanted.name) THEN
            EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s)', target, wanted.name, wanted.bound);
        END IF;
    END LOOP;
END
$$;

-- Numbers of trackers that nobody uses up, counts that sums fit into, and every row within the bounds of
-- sql/functions/bound_columns.sql as they are now. Later migrations change them; this file stays.

-- What looks at the columns; sql/ makes them again.
DROP VIEW IF EXISTS ims.v_daily_summary, ims.v_weekly_summary, ims.v_issue_search, ims.v_product_stats,
    ims.v_recent_activity, ims.v_session_detail, ims.v_user_dashboard;

ALTER TABLE ims.trackers ALTER COLUMN tracker_id TYPE bigint;
ALTER TABLE ims.tracker_secrets ALTER COLUMN tracker_id TYPE bigint;
ALTER TABLE ims.crawl_sessions ALTER COLUMN tracker_id TYPE bigint;
ALTER TABLE ims.issues ALTER COLUMN tracker_id TYPE bigint;
ALTER TABLE ims.saved_searches ALTER COLUMN tracker_id TYPE bigint;
ALTER TABLE ims.raw_pages ALTER COLUMN tracker_id TYPE bigint;
ALTER TABLE ims.analytics_daily
    ALTER COLUMN sessions_count TYPE bigint, ALTER COLUMN successful_sessions TYPE bigint,
    ALTER COLUMN failed_sessions TYPE bigint, ALTER COLUMN issues_crawled TYPE bigint,
    ALTER COLUMN unique_issues TYPE bigint, ALTER COLUMN new_issues TYPE bigint,
    ALTER COLUMN attachments_downloaded TYPE bigint;
ALTER TABLE ims.analytics_monthly
    ALTER COLUMN total_sessions TYPE bigint, ALTER COLUMN total_issues_crawled TYPE bigint,
    ALTER COLUMN unique_issues TYPE bigint;


SET LOCAL TimeZone = 'UTC';
DO $$
DECLARE
    one record;
    better text;
BEGIN
    -- Row security would hide the rows; triggers would make new ones of each mended one.
    FOR one IN SELECT oid::regclass AS target FROM pg_class WHERE relnamespace = 'ims'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', one.target);
        IF one.target <> 'ims.users'::regclass THEN  -- whose names identity follows
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', one.target);
        END IF;
    END LOOP;

    -- A time of a key may not be moved onto another one's, and such a row tells nothing.
    DELETE FROM ims.analytics_daily WHERE NOT stat_date BETWEEN '0001-01-01' AND '9999-12-31';
    DELETE FROM ims.analytics_monthly WHERE NOT year BETWEEN 1 AND 9999;
    DELETE FROM ims.issue_summaries WHERE NOT period_start BETWEEN '0001-01-01' AND '9999-12-31';
    DELETE FROM ims.runs WHERE NOT due_at BETWEEN '0001-01-03 00:00+00' AND '9999-12-29 00:00+00';
    DELETE FROM ims.session_chunks WHERE NOT chunk_number BETWEEN 0 AND 1000000000;

    UPDATE ims.trackers SET rate = CASE WHEN rate BETWEEN 0 AND 0.000277 THEN 0.000277
                                        WHEN rate > 1000 AND rate < 'infinity' THEN 1000 END
    WHERE NOT rate BETWEEN 0.000277 AND 1000;
    UPDATE ims.trackers SET concurrency = CASE WHEN concurrency < 1 THEN 1 ELSE 64 END
    WHERE NOT concurrency BETWEEN 1 AND 64;
    UPDATE ims.search_queries SET parsing_confidence = NULL WHERE NOT parsing_confidence BETWEEN 0 AND 1;
    UPDATE ims.saved_searches SET next_run_at = now()
    WHERE NOT next_run_at BETWEEN '0001-01-03 00:00+00' AND '9999-12-29 00:00+00';
    -- A question cut short would be another one.
    UPDATE ims.saved_searches SET is_active = false WHERE char_length(query) > 2000000;

    -- What cannot be left out goes to the nearest bound, what can be, is.
    FOR one IN
        SELECT attribute.attrelid::regclass AS target, attribute.attname AS name, attribute.attnotnull AS needed,
               attribute.atttypid::regtype::text AS kind, ends.low, ends.high
        FROM pg_attribute attribute
        JOIN pg_class relation ON relation.oid = attribute.attrelid AND relation.relkind = 'r'
             AND relation.relnamespace = 'ims'::regnamespace
        JOIN (VALUES ('timestamptz'::regtype, '0001-01-03 00:00+00', '9999-12-29 00:00+00'),
                     ('date', '0001-01-01', '9999-12-31'), ('int2', '0', '30000'), ('int4', '0', '1000000000'),
                     ('int8', '0', '1000000000000000000'), ('float8', '0', '1000000000000')) AS ends (of_type, low, high)
             ON ends.of_type = attribute.atttypid
        WHERE attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attidentity = ''
          AND NOT EXISTS (SELECT FROM pg_constraint key WHERE key.conrelid = attribute.attrelid AND key.contype = 'f'
                          AND attribute.attnum = ANY (key.conkey))
    LOOP
        better := CASE WHEN one.needed THEN 'least(greatest(%2$I, %3$L::%5$s), %4$L::%5$s)' ELSE 'NULL' END;
        EXECUTE format('UPDATE %1$s SET %2$I = ' || better || ' WHERE NOT %2$I BETWEEN %3$L::%5$s AND %4$L::%5$s',
                       one.target, one.name, one.low, one.high, one.kind);
    END LOOP;

    FOR one IN
        SELECT attribute.attrelid::regclass AS target, attribute.attname AS name, attribute.attnotnull AS needed,
               CASE attribute.attname WHEN 'top_queries' THEN 'array' ELSE 'object' END AS shape
        FROM pg_attribute attribute
        JOIN pg_class relation ON relation.oid = attribute.attrelid AND relation.relkind = 'r'
             AND relation.relnamespace = 'ims'::regnamespace AND relation.relname <> 'audit_log'
        WHERE attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.atttypid = 'jsonb'::regtype
    LOOP
        better := CASE WHEN NOT one.needed THEN 'NULL' WHEN one.shape = 'array' THEN '''[]''' ELSE '''{}''' END;
        EXECUTE format('UPDATE %1$s SET %2$I = %3$s WHERE jsonb_typeof(%2$I) <> %4$L',
                       one.target, one.name, better, one.shape);
    END LOOP;

    FOR one IN
        SELECT named.*
        FROM (VALUES ('ims.trackers'::regclass, 'name', 200), ('ims.trackers', 'kind', 200), ('ims.trackers', 'base_url', 2000),
                     ('ims.trackers', 'username', 1000), ('ims.trackers', 'timezone', 200),
                     ('ims.saved_searches', 'name', 200), ('ims.saved_searches', 'query', 2000000),
                     ('ims.saved_searches', 'product', 1000), ('ims.saved_searches', 'cron', 1000),
                     ('ims.saved_searches', 'timezone', 200), ('ims.users', 'username', 200), ('ims.users', 'email', 1000),
                     ('ims.users', 'full_name', 1000), ('ims.users', 'department', 1000),
                     ('ims.crawl_sessions', 'original_query', 2000000), ('ims.crawl_sessions', 'parsed_query', 2000000),
                     ('ims.crawl_sessions', 'query_language', 200), ('ims.crawl_sessions', 'product', 1000),
                     ('ims.search_queries', 'original_query', 2000000), ('ims.search_queries', 'parsed_query', 2000000),
                     ('ims.search_queries', 'query_language', 200), ('ims.search_queries', 'product', 1000),
                     ('ims.search_queries', 'parsing_method', 200), ('ims.runs', 'queue', 200))
             AS named (target, name, longest)
    LOOP
        -- The digest keeps names apart that begin alike.
        EXECUTE format('UPDATE %1$s SET %2$I = left(%2$I, %3$s - 33) || '' '' || md5(%2$I) WHERE char_length(%2$I) > %3$s',
                       one.target, one.name, one.longest);
    END LOOP;

    FOR one IN SELECT oid::regclass AS target FROM pg_class WHERE relnamespace = 'ims'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', one.target);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one.target);
    END LOOP;
END
$$;

-- A host that a tiny rate closed until long after it is open again.
UPDATE ims_private.hosts SET next_at = now() WHERE next_at > now() + interval '5 minutes';

-- Whoever refreshes a user's summaries holds their row.
CREATE TABLE ims_private.refresh_locks (
    user_id integer PRIMARY KEY
);

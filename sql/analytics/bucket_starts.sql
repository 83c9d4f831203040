-- The starts of the days, weeks (from Monday), months, quarters or years in UTC that touch a time. A bucket of another kind
-- is an error.
CREATE OR REPLACE FUNCTION ims.bucket_starts(from_ts timestamptz, to_ts timestamptz, bucket text)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF bucket IS NULL OR lower(bucket) NOT IN ('hour', 'day', 'week', 'month', 'quarter', 'year') THEN
        RAISE EXCEPTION 'A bucket is hour, day, week, month, quarter or year.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF from_ts IS NULL OR NOT isfinite(from_ts) OR NOT isfinite(to_ts) THEN
        RAISE EXCEPTION 'Say from when: a time that has a date.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT start AT TIME ZONE 'UTC'
    FROM generate_series(date_trunc(bucket, from_ts AT TIME ZONE 'UTC'), to_ts AT TIME ZONE 'UTC',
                         CASE lower(bucket) WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || bucket)::interval END) AS start
    WHERE start < to_ts AT TIME ZONE 'UTC';
END
$$;

GRANT EXECUTE ON FUNCTION ims.bucket_starts(timestamptz, timestamptz, text) TO ims_app, ims_user, ims_readonly, ims_admin;

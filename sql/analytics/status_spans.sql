-- The life of each issue as spans of one status each, from its history in the tracker's words: what the other functions
-- count. What a word means: what its owner says of it (ims.tracker_states), else what the tracker tells of issues in it, else
-- what is known of the word (ims.state_of). Where the history is silent, the issue's own dates speak: one that is done was open until its closing date, or
-- until it was last changed; one whose history stops short of its present state got there by then.
--
-- Few courses are taken by very many issues: one from new by way of assigned to closed has its words looked up once, and
-- each issue brings only its times.
--
--   product_filter  a product, or the beginning of several's names, in whatever case; NULL: all
--   status          NULL: not known what it was called then
--   previous_state  NULL: the issue begins here, when it was registered or, where that is unknown, first crawled
--   left_at         NULL: it still lasts
--   removed         it ended because the issue is gone from the tracker, or no longer to be seen
CREATE OR REPLACE FUNCTION ims.status_spans(product_filter text DEFAULT NULL) RETURNS TABLE (
    issue_pk bigint, status text, state text, previous_state text, entered_at timestamptz, left_at timestamptz,
    removed boolean
)
LANGUAGE sql STABLE ROWS 100000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH told AS (
    SELECT change.issue_pk,
           array_agg(change.new_value ORDER BY change.changed_at, change.position, change.history_id) AS words,
           (array_agg(change.old_value ORDER BY change.changed_at, change.position, change.history_id))[1] AS former,
           array_agg(change.changed_at ORDER BY change.changed_at, change.position, change.history_id) AS times
    FROM ims.issue_history change
    WHERE lower(change.field_name) IN ('status', 'state', '상태', 'ステータス', '状態')
      AND change.changed_at IS NOT NULL
    GROUP BY change.issue_pk
), life AS MATERIALIZED (
    SELECT issue.issue_pk, issue.removed_at, coalesce(issue.registered_date, issue.first_crawled_at) AS born, told.times,
           coalesce(CASE WHEN issue.state = 'done' THEN issue.closed_date END, issue.modified_date, issue.last_crawled_at)
               AS settled_at,
           ARRAY[coalesce(issue.tracker_id, -issue.user_id)::text, issue.state, issue.status, told.former] || told.words
               AS course
    FROM ims.issues issue LEFT JOIN told USING (issue_pk)
    WHERE product_filter IS NULL OR starts_with(lower(issue.product), lower(product_filter))
), course AS (
    SELECT course, course[1]::bigint AS tracker, course[2] AS now_state, nullif(btrim(course[3]), '') AS now_status,
           cardinality(course) = 4 AS is_silent
    FROM life
    GROUP BY course
), word AS MATERIALIZED (
    SELECT course, tracker, now_state, now_status, is_silent, place,
           CASE WHEN NOT is_silent THEN nullif(btrim(word), '') WHEN now_state <> 'done' THEN now_status END AS word
    FROM course CROSS JOIN LATERAL unnest(course[4:]) WITH ORDINALITY AS listed (word, place)
), meaning AS (  -- of few words, looked up once each
    SELECT words.tracker, words.word, coalesce(known.state, ims.state_of(words.word)) AS state
    FROM (SELECT DISTINCT tracker, word FROM word) AS words
    LEFT JOIN ims.known_states() AS known
      ON coalesce(nullif(known.tracker_id, 0), -known.user_id) = words.tracker AND known.plain = ims.plain_status(words.word)
), led AS (
    SELECT course, now_state, now_status, array_agg(word ORDER BY place) AS statuses,
           array_agg(CASE WHEN is_silent THEN CASE now_state WHEN 'done' THEN 'open' ELSE now_state END
                          WHEN word IS NULL THEN 'open'
                          WHEN now_state <> 'unknown' AND lower(word) = lower(now_status) THEN now_state
                          ELSE meaning.state END ORDER BY place) AS states
    FROM word LEFT JOIN meaning USING (tracker, word)
    GROUP BY course, now_state, now_status
), settled AS (  -- where the history stops short of the present state, or there is none
    SELECT course, stops_short, CASE WHEN stops_short THEN statuses || now_status ELSE statuses END AS statuses,
           CASE WHEN stops_short THEN states || now_state ELSE states END AS states,
           NULL::text || CASE WHEN stops_short THEN states ELSE trim_array(states, 1) END AS previous
    FROM led
    CROSS JOIN LATERAL (SELECT now_state <> 'unknown' AND states[cardinality(states)] <> now_state) AS short (stops_short)
), timed AS (
    SELECT life.issue_pk, life.removed_at, life.born, settled.statuses, settled.states, settled.previous,
           CASE WHEN settled.stops_short
                THEN life.born || life.times || greatest(life.born, life.times[cardinality(life.times)], life.settled_at)
                ELSE life.born || life.times END AS times
    FROM life JOIN settled USING (course)
), span AS (
    SELECT issue_pk, removed_at, born, unnest(statuses) AS status, unnest(states) AS state,
           unnest(previous) AS previous_state, unnest(times) AS at, unnest(times[2:]) AS next_at
    FROM timed
)
SELECT issue_pk, status, state, previous_state, greatest(at, born),
       least(CASE WHEN next_at IS NOT NULL THEN greatest(next_at, born) END, removed_at),
       removed_at IS NOT NULL AND (next_at IS NULL OR greatest(next_at, born) >= removed_at)
FROM span
WHERE removed_at IS NULL OR greatest(at, born) < removed_at
$$;

GRANT EXECUTE ON FUNCTION ims.status_spans(text) TO ims_app, ims_user, ims_readonly, ims_admin;

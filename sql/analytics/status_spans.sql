-- The life of each issue as spans of one status each, from its history in the tracker's words: what the other functions
-- count. What a word means: what its owner says of it (ims.tracker_states), else what the tracker tells of issues in it, else
-- what is known of the word (ims.state_of). Where the history is silent, the issue's own dates speak: one that is done was open until its closing date, or
-- until it was last changed; one whose history stops short of its present state got there by then.
--
-- Few courses are taken by very many issues: one from new by way of assigned to closed has its words looked up once, and
-- each issue brings only its times. How many bytes a field's name has is asked first, since most changes are of others.
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
    WHERE octet_length(change.field_name) IN (5, 6, 15)
      AND lower(change.field_name) IN ('status', 'state', '상태', 'ステータス', '状態')
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
    SELECT course, now_state, now_status, place, word,
           CASE WHEN is_silent THEN CASE now_state WHEN 'done' THEN 'open' ELSE now_state END
                WHEN word IS NULL THEN 'open'
                WHEN now_state <> 'unknown' AND lower(word) = lower(now_status) THEN now_state
                ELSE meaning.state END AS state,
           place = max(place) OVER (PARTITION BY course) AS is_last
    FROM word LEFT JOIN meaning USING (tracker, word)
), settled AS (  -- where the history stops short of the present state, or there is none
    SELECT course, place, word AS status, state, false AS is_added,
           is_last AND now_state <> 'unknown' AND state <> now_state AS stops_short
    FROM led
    UNION ALL
    SELECT course, place + 1, now_status, now_state, true, false
    FROM led
    WHERE is_last AND now_state <> 'unknown' AND state <> now_state
), step AS MATERIALIZED (
    SELECT course, place::integer, status, state, lag(state) OVER (PARTITION BY course ORDER BY place) AS previous_state,
           is_added, stops_short
    FROM settled
), span AS (
    SELECT life.issue_pk, life.removed_at, life.born, step.status, step.state, step.previous_state,
           CASE WHEN step.place = 1 THEN life.born
                WHEN step.is_added THEN greatest(life.born, life.times[step.place - 2], life.settled_at)
                ELSE life.times[step.place - 1] END AS at,
           CASE WHEN step.stops_short THEN greatest(life.born, life.times[step.place - 1], life.settled_at)
                ELSE life.times[step.place] END AS next_at
    FROM life JOIN step USING (course)
)
SELECT issue_pk, status, state, previous_state, greatest(at, born),
       least(CASE WHEN next_at IS NOT NULL THEN greatest(next_at, born) END, removed_at),
       removed_at IS NOT NULL AND (next_at IS NULL OR greatest(next_at, born) >= removed_at)
FROM span
WHERE removed_at IS NULL OR greatest(at, born) < removed_at
$$;

GRANT EXECUTE ON FUNCTION ims.status_spans(text) TO ims_app, ims_user, ims_readonly, ims_admin;

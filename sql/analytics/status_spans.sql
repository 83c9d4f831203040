-- The life of each issue as spans of one status each, from its history in the tracker's words: what the other functions
-- count. What a word means: what its owner says of it (ims.tracker_states), else what the tracker tells of issues in it, else
-- what is known of the word (ims.state_of). Where the history is silent, the issue's own dates speak: one that is done was open until its closing date, or
-- until it was last changed; one whose history stops short of its present state got there by then.
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
WITH issue AS MATERIALIZED (
    SELECT one.issue_pk, one.user_id, coalesce(one.tracker_id, 0) AS tracker_id, nullif(btrim(one.status), '') AS status,
           one.state, one.removed_at, coalesce(one.registered_date, one.first_crawled_at) AS born,
           coalesce(CASE WHEN one.state = 'done' THEN one.closed_date END, one.modified_date, one.last_crawled_at)
               AS settled_at
    FROM ims.issues one
    WHERE product_filter IS NULL OR starts_with(lower(one.product), lower(product_filter))
), told AS MATERIALIZED (
    SELECT change.issue_pk, change.changed_at, nullif(btrim(change.new_value), '') AS word,
           nullif(btrim(CASE WHEN row_number() OVER later = 1 THEN change.old_value ELSE lag(change.new_value) OVER later END),
                  '') AS former,
           row_number() OVER later AS place, lead(change.changed_at) OVER later AS next_at
    FROM ims.issue_history change
    WHERE lower(change.field_name) IN ('status', 'state', '상태', 'ステータス', '状態')
      AND change.changed_at IS NOT NULL
    WINDOW later AS (PARTITION BY change.issue_pk ORDER BY change.changed_at, change.position, change.history_id)
), meaning AS MATERIALIZED (  -- of few words, looked up once each
    SELECT words.user_id, words.tracker_id, words.word, coalesce(known.state, ims.state_of(words.word)) AS state
    FROM (SELECT user_id, tracker_id, word FROM told JOIN issue USING (issue_pk)
          UNION
          SELECT user_id, tracker_id, former FROM told JOIN issue USING (issue_pk) WHERE place = 1) AS words
    LEFT JOIN ims.known_states() AS known
      ON known.user_id = words.user_id AND known.tracker_id = words.tracker_id
         AND known.plain = ims.plain_status(words.word)
    WHERE words.word IS NOT NULL
), step AS (  -- an issue's changes, or one row for an issue that has none
    SELECT issue.issue_pk, issue.status AS now_status, issue.state AS now_state, issue.removed_at, issue.born, issue.settled_at,
           told.place, told.word, greatest(told.changed_at, issue.born) AS entered_at,
           CASE WHEN told.next_at IS NOT NULL THEN greatest(told.next_at, issue.born) END AS left_at,
           CASE WHEN told.word IS NULL THEN 'open'
                WHEN issue.state <> 'unknown' AND lower(told.word) = lower(issue.status) THEN issue.state
                ELSE coming.state END AS state,
           CASE WHEN told.place IS NOT NULL THEN told.former WHEN issue.state <> 'done' THEN issue.status END AS former,
           CASE WHEN told.place IS NULL THEN CASE issue.state WHEN 'done' THEN 'open' ELSE issue.state END
                WHEN told.former IS NULL THEN 'open'
                WHEN issue.state <> 'unknown' AND lower(told.former) = lower(issue.status) THEN issue.state
                ELSE leaving.state END AS former_state
    FROM issue LEFT JOIN told USING (issue_pk)
    LEFT JOIN meaning AS coming ON (coming.user_id, coming.tracker_id, coming.word)
                                 = (issue.user_id, issue.tracker_id, told.word)
    LEFT JOIN meaning AS leaving ON (leaving.user_id, leaving.tracker_id, leaving.word)
                                  = (issue.user_id, issue.tracker_id, told.former)
), carried AS (  -- where the history stops short of the present state, or there is none
    SELECT step.*, CASE WHEN place IS NULL AND now_state = 'done' OR place IS NOT NULL AND left_at IS NULL
                             AND now_state <> 'unknown' AND state <> now_state
                        THEN greatest(born, entered_at, settled_at) END AS settled
    FROM step
), span AS (
    SELECT issue_pk, former AS status, former_state AS state, NULL AS previous_state, born AS entered_at,
           CASE WHEN place IS NULL THEN settled ELSE entered_at END AS left_at, removed_at
    FROM carried WHERE coalesce(place, 1) = 1
    UNION ALL
    SELECT issue_pk, word, state, former_state, entered_at, coalesce(left_at, settled), removed_at
    FROM carried WHERE place IS NOT NULL
    UNION ALL
    SELECT issue_pk, now_status, now_state, CASE WHEN place IS NULL THEN former_state ELSE state END, settled, NULL, removed_at
    FROM carried WHERE settled IS NOT NULL
)
SELECT issue_pk, status, state, previous_state, entered_at, least(left_at, removed_at),
       removed_at IS NOT NULL AND (left_at IS NULL OR left_at >= removed_at)
FROM span
WHERE removed_at IS NULL OR entered_at < removed_at
$$;

GRANT EXECUTE ON FUNCTION ims.status_spans(text) TO ims_app, ims_user, ims_readonly, ims_admin;

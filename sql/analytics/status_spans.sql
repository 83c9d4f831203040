-- The life of each issue as spans of one status each, from its history in the tracker's words: what the other functions
-- count. Where the history is silent, the issue's own dates speak: one that is done was open until its closing date, or
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
AS $$
WITH issue AS MATERIALIZED (
    SELECT one.issue_pk, nullif(btrim(one.status), '') AS status, one.state, one.removed_at,
           coalesce(one.registered_date, one.first_crawled_at) AS born,
           coalesce(CASE WHEN one.state = 'done' THEN one.closed_date END, one.modified_date, one.last_crawled_at)
               AS settled_at
    FROM ims.issues one
    WHERE product_filter IS NULL OR starts_with(lower(one.product), lower(product_filter))
), told AS MATERIALIZED (
    SELECT change.issue_pk, change.changed_at, nullif(btrim(change.old_value), '') AS old_word,
           nullif(btrim(change.new_value), '') AS new_word,
           row_number() OVER later AS place, lead(change.issue_pk) OVER later IS NULL AS is_last
    FROM ims.issue_history change
    WHERE lower(change.field_name) IN ('status', 'state', '상태', 'ステータス', '状態')
      AND change.changed_at IS NOT NULL
    WINDOW later AS (PARTITION BY change.issue_pk ORDER BY change.changed_at, change.position, change.history_id)
), meaning AS MATERIALIZED (
    SELECT word, ims.state_of(word) AS state
    FROM (SELECT old_word FROM told UNION SELECT new_word FROM told) AS words (word)
), event AS (
    SELECT issue.issue_pk, issue.born AS at, 0::bigint AS place,
           CASE WHEN first.issue_pk IS NOT NULL THEN first.old_word WHEN issue.state <> 'done' THEN issue.status END AS word,
           issue.status, issue.state, issue.removed_at
    FROM issue LEFT JOIN told first ON first.issue_pk = issue.issue_pk AND first.place = 1
    UNION ALL
    SELECT issue.issue_pk, greatest(told.changed_at, issue.born), told.place, told.new_word, issue.status, issue.state,
           issue.removed_at
    FROM told JOIN issue USING (issue_pk)
    UNION ALL
    SELECT issue.issue_pk, greatest(issue.born, last.changed_at, issue.settled_at), 1e9::bigint, issue.status, issue.status,
           issue.state, issue.removed_at
    FROM issue
    LEFT JOIN told last ON last.issue_pk = issue.issue_pk AND last.is_last
    LEFT JOIN meaning ON meaning.word = last.new_word
    WHERE CASE WHEN last.issue_pk IS NULL THEN issue.state = 'done'
               ELSE issue.state <> 'unknown' AND lower(last.new_word) IS DISTINCT FROM lower(issue.status)
                    AND coalesce(meaning.state, 'open') <> issue.state END
), span AS (
    SELECT event.issue_pk, event.word, event.at, event.removed_at, event.place,
           CASE WHEN event.place = 1e9 THEN event.state
                WHEN event.word IS NULL THEN 'open'
                WHEN lower(event.word) = lower(event.status) AND event.state <> 'unknown' THEN event.state
                ELSE coalesce(meaning.state, 'unknown') END AS state
    FROM event LEFT JOIN meaning USING (word)
)
SELECT issue_pk, word, state, lag(state) OVER later, at, least(lead(at) OVER later, removed_at),
       removed_at IS NOT NULL AND coalesce(lead(at) OVER later >= removed_at, true)
FROM span
WHERE removed_at IS NULL OR at < removed_at
WINDOW later AS (PARTITION BY issue_pk ORDER BY at, place)
$$;

GRANT EXECUTE ON FUNCTION ims.status_spans(text) TO ims_app, ims_user, ims_readonly, ims_admin;

-- What issues are about more than before: the words of the titles of issues registered in a time, and the codes of errors in
-- their files, against the equally long time before it, the strongest rise first. An issue counts once for a word.
--
-- Korean particles go where they are surely ones: those that no word ends in, and others where the word occurs without, or
-- with another one, as well.
--
--   to_ts  not included; NULL: now
--   top    at most so many words
--   change issues more than before
CREATE OR REPLACE FUNCTION ims.keyword_trends(
    from_ts timestamptz, to_ts timestamptz DEFAULT NULL, top integer DEFAULT 20
) RETURNS TABLE (term text, issues bigint, issues_before bigint, change bigint)
LANGUAGE sql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
WITH bounds AS (
    SELECT from_ts AS middle, coalesce(to_ts, now()) AS finish, from_ts - (coalesce(to_ts, now()) - from_ts) AS start
), said AS MATERIALIZED (
    SELECT issue.issue_pk, issue.registered_date >= bounds.middle AS now, word
    FROM bounds
    JOIN ims.issues issue ON issue.registered_date >= bounds.start AND issue.registered_date < bounds.finish
    CROSS JOIN ims.title_words(issue.title) AS word
    UNION ALL
    SELECT issue.issue_pk, issue.registered_date >= bounds.middle, lower(word)
    FROM bounds
    JOIN ims.issues issue ON issue.registered_date >= bounds.start AND issue.registered_date < bounds.finish
    JOIN ims.attachments file ON file.user_id = issue.user_id AND file.issue_pk = issue.issue_pk AND file.removed_at IS NULL
    JOIN ims.file_texts told ON told.user_id = file.user_id AND told.sha256 = file.sha256
    CROSS JOIN unnest(told.codes) AS word
), spoken AS (
    SELECT word, ims.without_particle(word) AS stem FROM (SELECT DISTINCT word FROM said) AS words
), form AS MATERIALIZED (
    SELECT spoken.word,
           CASE WHEN spoken.word ~ '(에서|에게|으로|까지|부터|에서의|으로의|을|를)$'
                  OR EXISTS (SELECT FROM spoken other WHERE other.stem = spoken.stem AND other.word <> spoken.word)
                THEN spoken.stem ELSE spoken.word END AS term
    FROM spoken
    WHERE spoken.stem <> spoken.word
)
SELECT coalesce(form.term, said.word), count(DISTINCT issue_pk) FILTER (WHERE now),
       count(DISTINCT issue_pk) FILTER (WHERE NOT now),
       count(DISTINCT issue_pk) FILTER (WHERE now) - count(DISTINCT issue_pk) FILTER (WHERE NOT now)
FROM said LEFT JOIN form USING (word)
GROUP BY 1
ORDER BY 4 DESC, 2 DESC, 1
LIMIT greatest(top, 0)
$$;

GRANT EXECUTE ON FUNCTION ims.keyword_trends(timestamptz, timestamptz, integer) TO ims_app, ims_user, ims_readonly, ims_admin;

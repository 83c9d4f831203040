-- A row for each status word of each tracker, of issues and of their history: how many issues are in it, and its state. A word
-- whose state is 'unknown' can be placed by a row of ims.tracker_states.
--
--   changes  how often the history tells of the word
--   is_own   its state is what its owner says, not what the tracker tells
CREATE OR REPLACE VIEW ims.v_tracker_states WITH (security_invoker = true, security_barrier = true) AS
WITH used AS (
    SELECT issue.user_id, coalesce(issue.tracker_id, 0) AS tracker_id, issue.status AS word,
           count(*) FILTER (WHERE issue.removed_at IS NULL) AS issues, 0::bigint AS changes
    FROM ims.issues issue
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT issue.user_id, coalesce(issue.tracker_id, 0), change.new_value, 0, count(*)
    FROM ims.issue_history change
    JOIN ims.issues issue ON issue.issue_pk = change.issue_pk AND issue.user_id = change.user_id
    WHERE lower(change.field_name) IN ('status', 'state', '상태', 'ステータス', '状態')
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT own.user_id, own.tracker_id, own.word, 0, 0
    FROM ims.tracker_states own
), spelled AS (
    SELECT user_id, tracker_id, ims.plain_status(word) AS plain, btrim(word) AS word, sum(issues) AS issues,
           sum(changes) AS changes
    FROM used
    WHERE btrim(word) <> ''
    GROUP BY 1, 2, 3, 4
), word AS (
    SELECT user_id, tracker_id, plain, (array_agg(word ORDER BY issues DESC, changes DESC, word))[1] AS word,
           sum(issues)::bigint AS issues, sum(changes)::bigint AS changes
    FROM spelled
    GROUP BY 1, 2, 3
)
SELECT word.user_id, nullif(word.tracker_id, 0) AS tracker_id, tracker.name AS tracker, word.word, word.issues, word.changes,
       coalesce(known.state, ims.state_of(word.word)) AS state, coalesce(known.is_own, false) AS is_own
FROM word
LEFT JOIN ims.known_states() AS known USING (user_id, tracker_id, plain)
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = word.tracker_id AND tracker.user_id = word.user_id;

GRANT SELECT ON ims.v_tracker_states TO ims_app, ims_user, ims_readonly, ims_admin;

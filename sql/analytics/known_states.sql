-- What the status words mean that issues are in: what their owner says of a word (ims.tracker_states), else what the tracker
-- tells of most issues in it. A word of which nothing is told has no row; ims.state_of() may know it.
--
--   tracker_id  0: entered by hand
--   plain       the word as ims.plain_status has it
CREATE OR REPLACE FUNCTION ims.known_states() RETURNS TABLE (
    user_id integer, tracker_id bigint, plain text, state text, is_own boolean
)
LANGUAGE sql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
WITH told AS (
    SELECT issue.user_id, coalesce(issue.tracker_id, 0) AS tracker_id, issue.status,
           coalesce(issue.tracker_state, issue.state) AS state, count(*) AS issues
    FROM ims.issues issue
    WHERE issue.status <> ''
    GROUP BY 1, 2, 3, 4
), said AS (
    SELECT own.user_id, own.tracker_id, ims.plain_status(own.word) AS plain, own.state, true AS is_own, 0::numeric AS issues
    FROM ims.tracker_states own
    UNION ALL
    SELECT told.user_id, told.tracker_id, ims.plain_status(told.status), told.state, false, sum(told.issues)
    FROM told
    WHERE told.state <> 'unknown'
    GROUP BY 1, 2, 3, 4
)
SELECT DISTINCT ON (user_id, tracker_id, plain) user_id, tracker_id, plain, state, is_own
FROM said
ORDER BY user_id, tracker_id, plain, is_own DESC, issues DESC, state
$$;

GRANT EXECUTE ON FUNCTION ims.known_states() TO ims_app, ims_user, ims_readonly, ims_admin;

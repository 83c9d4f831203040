-- identity --
-- Act for a user: of this id, else whose personal login this is, else of this name. Gives who it is.
-- Somebody may lock rows of theirs for as long as they like: who acts for them waits for a while.
SELECT ims.set_current_user(wanted), set_config('lock_timeout', '20s', true),
       CASE WHEN %(own_rows)s THEN set_config('ims.own_rows', 'on', true) END,
       CASE WHEN %(limit)s::text IS NOT NULL THEN set_config('statement_timeout', %(limit)s, true) END, wanted
FROM coalesce(%(user_id)s::integer, ims.current_user_id(), ims.find_user(%(name)s)) AS wanted

-- login_user --
-- Whose personal login this is. In a transaction of its own: nobody has said yet for whom it is.
SELECT ims.current_user_id()

-- only_looks --
-- An analyst looks and does not write.
SELECT ims.current_user_role() = 'readonly'

-- sees_everybody --
SELECT ims.sees_everybody()

-- stored --
-- A name for all that is stored, whoever's it is: as long as it stays the same, nothing at all was committed. NULL where that
-- cannot be told, for what a standby sees does not say what its primary is still writing.
SELECT CASE WHEN NOT pg_is_in_recovery()
            THEN extract(epoch FROM pg_postmaster_start_time()) || ' ' || pg_current_snapshot() END

-- known_user --
SELECT ims.find_user(%(name)s) IS NOT NULL

-- search --
-- The hits in their order, whoever's they are among the rows that the transaction sees.
SELECT hit.issue_pk, hit.issue_id, tracker.name AS tracker, hit.title, hit.product, hit.status, hit.rank,
       hit.snippet, hit.found_in, issue.url, owner.username AS owner_user, issue.registered_date AS created,
       coalesce(issue.modified_date, issue.registered_date) AS updated
FROM ims.search_hits(%(words)s, %(product)s, %(most)s, %(filters)s) WITH ORDINALITY
    AS hit (issue_pk, issue_id, title, description, product, status, rank, snippet, found_in, place)
JOIN ims.issues issue ON issue.issue_pk = hit.issue_pk
JOIN ims.users owner ON owner.user_id = issue.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id
ORDER BY hit.place

-- products --
-- The products of one's own issues, hopping through the index from each name to the next.
WITH RECURSIVE hop AS (
    SELECT min(product) AS product FROM ims.issues WHERE user_id = ims.current_user_id()
    UNION ALL
    SELECT (SELECT min(issue.product) FROM ims.issues issue
            WHERE issue.user_id = ims.current_user_id() AND issue.product > hop.product)
    FROM hop WHERE hop.product IS NOT NULL
)
SELECT product FROM hop WHERE product <> '' LIMIT %(most)s

-- words --
-- The words that stored issues have in one of their columns.
SELECT DISTINCT word
FROM (SELECT CASE %(column)s WHEN 'status' THEN status WHEN 'product' THEN product
                             WHEN 'priority' THEN priority WHEN 'module' THEN module END AS word
      FROM ims.issues) AS told
WHERE word <> '' LIMIT %(most)s

-- tracker --
SELECT EXISTS (SELECT FROM ims.trackers WHERE name = %(name)s)

-- remember --
INSERT INTO ims.search_queries (original_query, parsed_query, query_language, product, results_count,
                                parsing_method, parsing_confidence)
VALUES (%(original)s, %(parsed)s, %(language)s, %(product)s, %(found)s, %(method)s, %(confidence)s)

-- saved --
-- One's own questions that are kept under a name.
SELECT saved.name, saved.query, tracker.name AS tracker, saved.product, saved.options, saved.created_at
FROM ims.saved_searches saved
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = saved.tracker_id
WHERE saved.user_id = ims.current_user_id() AND saved.cron IS NULL
ORDER BY saved.name LIMIT %(limit)s OFFSET %(offset)s

-- history --
SELECT asked.queried_at, asked.original_query, asked.parsed_query, asked.query_language, asked.product,
       asked.results_count, asked.parsing_method, asked.parsing_confidence, tracker.name AS tracker,
       crawled.session_uuid, owner.username AS owner_user
FROM ims.search_queries asked
JOIN ims.users owner ON owner.user_id = asked.user_id
LEFT JOIN ims.crawl_sessions crawled ON crawled.session_id = asked.session_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = crawled.tracker_id
ORDER BY asked.queried_at DESC, asked.query_id DESC
LIMIT %(limit)s OFFSET %(offset)s

-- sessions --
SELECT crawled.session_uuid, crawled.status, tracker.name AS tracker, crawled.product, crawled.original_query,
       crawled.started_at, crawled.duration_seconds, crawled.total_issues_found, crawled.issues_crawled,
       crawled.failed_issues, crawled.waits_for, owner.username AS owner_user
FROM ims.crawl_sessions crawled
JOIN ims.users owner ON owner.user_id = crawled.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = crawled.tracker_id
ORDER BY crawled.started_at DESC, crawled.session_id DESC
LIMIT %(limit)s OFFSET %(offset)s

-- schedule --
-- Is there a schedule of this name, of one's own or of anybody's?
SELECT EXISTS (SELECT FROM ims.saved_searches
               WHERE name = %(name)s AND cron IS NOT NULL
                 AND (%(everybody)s OR user_id = ims.current_user_id()))

-- news --
-- What the newest run that ended of each schedule found new or changed.
WITH newest AS (
    SELECT DISTINCT ON (saved_search_id) session_id, saved_search_id, ended_at
    FROM ims.runs
    WHERE session_id IS NOT NULL AND status IN ('completed', 'failed', 'interrupted')
      AND (%(everybody)s OR user_id = ims.current_user_id())
    ORDER BY saved_search_id, run_id DESC
)
SELECT schedule.name AS schedule, issue.issue_id, tracker.name AS tracker, issue.title, issue.product,
       issue.status, found.state AS change, issue.url, newest.ended_at AS found_at,
       owner.username AS owner_user
FROM newest
JOIN ims.saved_searches schedule ON schedule.saved_search_id = newest.saved_search_id
JOIN ims.users owner ON owner.user_id = schedule.user_id
JOIN ims.crawl_sessions crawled ON crawled.session_id = newest.session_id
JOIN ims.session_frontier found ON found.session_id = newest.session_id
JOIN ims.issues issue ON issue.issue_id = found.issue_id AND issue.tracker_id = crawled.tracker_id
                     AND issue.user_id = crawled.user_id
JOIN ims.trackers tracker ON tracker.tracker_id = crawled.tracker_id
WHERE found.state IN ('new', 'changed') AND (%(name)s::text IS NULL OR schedule.name = %(name)s)
ORDER BY schedule.name, schedule.saved_search_id, found.position
LIMIT %(limit)s OFFSET %(offset)s

-- gone --
-- What vanished from the trackers since the run before each schedule's newest one, of what that schedule ever brought; of
-- trackers without a schedule, what their newest census found gone. Comments of issues that are still there, too.
WITH ended AS (
    SELECT saved_search_id, user_id, started_at, ended_at,
           row_number() OVER (PARTITION BY saved_search_id ORDER BY run_id DESC) AS place
    FROM ims.runs
    WHERE session_id IS NOT NULL AND status IN ('completed', 'failed', 'interrupted')
      AND (%(everybody)s OR user_id = ims.current_user_id())
), looked AS (
    SELECT schedule.name, schedule.saved_search_id, schedule.user_id, schedule.tracker_id,
           coalesce(former.ended_at, newest.started_at) AS since
    FROM ended newest
    JOIN ims.saved_searches schedule USING (saved_search_id, user_id)
    LEFT JOIN ended former ON former.saved_search_id = newest.saved_search_id AND former.place = 2
    WHERE newest.place = 1 AND (%(name)s::text IS NULL OR schedule.name = %(name)s)
    UNION ALL
    (SELECT DISTINCT ON (census.user_id, census.tracker_id) NULL, NULL, census.user_id, census.tracker_id, census.started_at
     FROM ims.crawl_sessions census
     WHERE census.metadata ->> 'census' = 'true' AND %(name)s::text IS NULL
       AND (%(everybody)s OR census.user_id = ims.current_user_id())
       AND NOT EXISTS (SELECT FROM ended JOIN ims.saved_searches schedule USING (saved_search_id, user_id)
                       WHERE schedule.user_id = census.user_id AND schedule.tracker_id = census.tracker_id)
     ORDER BY census.user_id, census.tracker_id, census.session_id DESC)
), brought AS (
    SELECT looked.name, looked.saved_search_id, looked.since, issue.*
    FROM looked
    JOIN ims.issues issue ON issue.user_id = looked.user_id AND issue.tracker_id = looked.tracker_id
    WHERE (issue.removed_at >= looked.since OR EXISTS (
               SELECT FROM ims.issue_comments said
               WHERE said.user_id = issue.user_id AND said.issue_pk = issue.issue_pk AND said.removed_at >= looked.since))
      AND (looked.saved_search_id IS NULL OR EXISTS (
               SELECT
               FROM ims.runs run
               JOIN ims.session_issues held ON held.session_id = run.session_id AND held.user_id = run.user_id
               WHERE run.user_id = issue.user_id AND run.saved_search_id = looked.saved_search_id
                 AND held.issue_pk = issue.issue_pk))
)
SELECT brought.name AS schedule, brought.issue_id, tracker.name AS tracker, brought.title, brought.product, brought.status,
       gone.change, brought.url, gone.found_at, owner.username AS owner_user, gone.reason, gone.comments
FROM brought
JOIN ims.users owner ON owner.user_id = brought.user_id
JOIN ims.trackers tracker ON tracker.tracker_id = brought.tracker_id AND tracker.user_id = brought.user_id
CROSS JOIN LATERAL (
    SELECT 'gone' AS change, brought.removed_at AS found_at, brought.removed_reason AS reason, NULL::bigint AS comments
    WHERE brought.removed_at >= brought.since
    UNION ALL
    SELECT 'comment gone', max(said.removed_at), NULL, count(*)
    FROM ims.issue_comments said
    WHERE brought.removed_at IS NULL AND said.user_id = brought.user_id AND said.issue_pk = brought.issue_pk
      AND said.removed_at >= brought.since
    HAVING count(*) > 0
) AS gone
ORDER BY gone.change DESC, brought.name, brought.issue_pk
LIMIT %(most)s

-- similar --
SELECT issue.issue_id, tracker.name AS tracker, issue.title, issue.product, issue.status, other.score,
       other.terms, issue.url, owner.username AS owner_user
FROM ims.similar_issues(%(issue_pk)s, %(limit)s, %(only_open)s) AS other
JOIN ims.issues issue ON issue.issue_pk = other.issue_pk
JOIN ims.users owner ON owner.user_id = issue.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id
ORDER BY other.score DESC, other.issue_pk DESC

-- similar_to_text --
SELECT issue.issue_id, tracker.name AS tracker, issue.title, issue.product, issue.status, other.score,
       other.terms, issue.url, owner.username AS owner_user
FROM ims.similar_to_text(%(text)s, %(limit)s, %(only_open)s) AS other
JOIN ims.issues issue ON issue.issue_pk = other.issue_pk
JOIN ims.users owner ON owner.user_id = issue.user_id
LEFT JOIN ims.trackers tracker ON tracker.tracker_id = issue.tracker_id
ORDER BY other.score DESC, other.issue_pk DESC

-- names --
-- What a shell completes of one's own: the sort, the name, what it is about.
(SELECT 'trackers' AS sort, name, base_url AS about FROM ims.trackers
 WHERE user_id = ims.current_user_id() LIMIT %(most)s)
UNION ALL
(SELECT 'kinds', name, kind FROM ims.trackers WHERE user_id = ims.current_user_id() LIMIT %(most)s)
UNION ALL
(SELECT 'schedules', name, query FROM ims.saved_searches
 WHERE user_id = ims.current_user_id() AND cron IS NOT NULL LIMIT %(most)s)
UNION ALL
(SELECT 'favorites', name, query FROM ims.saved_searches
 WHERE user_id = ims.current_user_id() AND cron IS NULL LIMIT %(most)s)
UNION ALL
(SELECT 'sessions', session_uuid::text, original_query FROM ims.crawl_sessions
 WHERE user_id = ims.current_user_id() ORDER BY session_id DESC LIMIT %(sessions)s)

-- life --
-- Flow, backlog, statuses and closing at once; each row has the columns of its part.
SELECT *
FROM ims.life_figures('{flow,backlog,statuses,closing}', %(product)s, %(since)s, %(until)s, %(bucket)s, %(until)s)
WHERE part <> 'statuses' OR place <= 12
ORDER BY part, place

-- unplaced --
-- How many issues are in a status whose state nobody knows; they count as open.
SELECT count(*) AS issues
FROM ims.issues
WHERE state = 'unknown' AND removed_at IS NULL
  AND (%(product)s::text IS NULL OR starts_with(lower(product), lower(%(product)s)))

-- response --
SELECT * FROM ims.first_response_time(%(product)s, %(since)s, %(until)s)

-- products --
SELECT coalesce(product, '') AS name, count(*) AS issues
FROM ims.issues
WHERE registered_date >= %(since)s AND registered_date < %(until)s
  AND (%(product)s::text IS NULL OR starts_with(lower(product), lower(%(product)s)))
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(listed)s

-- modules --
SELECT module AS name, count(*) AS issues
FROM ims.issues
WHERE registered_date >= %(since)s AND registered_date < %(until)s AND module <> ''
  AND (%(product)s::text IS NULL OR starts_with(lower(product), lower(%(product)s)))
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(listed)s

-- words --
SELECT term AS name, issues, issues_before FROM ims.keyword_trends(%(since)s, %(until)s, %(listed)s)

-- kinds --
-- Issues by what their files are.
SELECT kind AS name, count(DISTINCT issue.issue_pk) AS issues
FROM ims.v_issue_files file
JOIN ims.issues issue USING (issue_pk)
WHERE issue.registered_date >= %(since)s AND issue.registered_date < %(until)s AND kind IS NOT NULL
  AND (%(product)s::text IS NULL OR starts_with(lower(issue.product), lower(%(product)s)))
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(listed)s

-- codes --
SELECT code AS name, count(DISTINCT issue.issue_pk) AS issues
FROM ims.v_issue_files file
JOIN ims.issues issue USING (issue_pk)
CROSS JOIN unnest(file.codes) AS code
WHERE issue.registered_date >= %(since)s AND issue.registered_date < %(until)s
  AND (%(product)s::text IS NULL OR starts_with(lower(issue.product), lower(%(product)s)))
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(listed)s

-- newest --
-- Open issues, those that were registered last.
SELECT issue_id, url, title, product, status, owner, registered_date,
       (SELECT name FROM ims.trackers WHERE tracker_id = issue.tracker_id) AS tracker
FROM ims.issues issue
WHERE state <> 'done' AND removed_at IS NULL AND registered_date < %(until)s
  AND (%(product)s::text IS NULL OR starts_with(lower(product), lower(%(product)s)))
ORDER BY registered_date DESC, issue_pk DESC LIMIT %(listed)s

-- oldest --
SELECT issue_id, url, title, product, status, owner, registered_date,
       (SELECT name FROM ims.trackers WHERE tracker_id = issue.tracker_id) AS tracker
FROM ims.issues issue
WHERE state <> 'done' AND removed_at IS NULL AND registered_date < %(until)s
  AND (%(product)s::text IS NULL OR starts_with(lower(product), lower(%(product)s)))
ORDER BY registered_date, issue_pk LIMIT %(listed)s

-- count --
-- In how many of a tracker's stored issues each field says something; a sample, taken along the unique key, so that it
-- costs the same however many issues there are.
SELECT count(*),
       count(*) FILTER (WHERE title <> '') AS title,
       count(*) FILTER (WHERE octet_length(description) > 0) AS description,
       count(*) FILTER (WHERE product <> '') AS product,
       count(*) FILTER (WHERE status <> '') AS status,
       count(*) FILTER (WHERE priority <> '') AS priority,
       count(*) FILTER (WHERE severity <> '') AS severity,
       count(*) FILTER (WHERE issue_type <> '') AS issue_type,
       count(*) FILTER (WHERE reporter <> '') AS reporter,
       count(*) FILTER (WHERE owner <> '') AS owner,
       count(*) FILTER (WHERE manager <> '') AS manager,
       count(registered_date) AS registered_date,
       count(modified_date) AS modified_date,
       count(*) FILTER (WHERE project_code <> '') AS project_code,
       count(*) FILTER (WHERE project_name <> '') AS project_name,
       count(*) FILTER (WHERE site <> '') AS site,
       count(*) FILTER (WHERE customer <> '') AS customer,
       count(*) FILTER (WHERE module <> '') AS module,
       count(*) FILTER (WHERE found_version <> '') AS found_version,
       count(*) FILTER (WHERE has_comments) AS comments,
       count(*) FILTER (WHERE has_history) AS history
FROM (
    SELECT * FROM ims.issues
    WHERE user_id = %(user_id)s AND tracker_id = %(tracker_id)s AND removed_at IS NULL
    ORDER BY issue_id DESC
    LIMIT %(sample)s
) AS issue
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM ims.issue_comments said
                   WHERE said.issue_pk = issue.issue_pk AND said.removed_at IS NULL) AS has_comments,
           EXISTS (SELECT FROM ims.issue_history told
                   WHERE told.issue_pk = issue.issue_pk AND told.change_type <> 'observed') AS has_history
) AS hanging

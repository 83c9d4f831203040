-- What happened, whoever did it: sessions begun, questions asked, changes and comments of issues. Sort it by happened_at.
CREATE OR REPLACE VIEW ims.v_recent_activity WITH (security_invoker = true, security_barrier = true) AS
SELECT own.user_id, own.started_at AS happened_at, 'session' AS kind, own.original_query AS subject, own.status AS detail,
       NULL::bigint AS issue_pk
FROM ims.crawl_sessions own
UNION ALL
SELECT own.user_id, own.queried_at, 'question', own.original_query, own.results_count || ' results', NULL
FROM ims.search_queries own
WHERE own.session_id IS NULL
UNION ALL
SELECT change.user_id, change.changed_at, 'change', issue.issue_id || ' ' || issue.title,
       CASE
           WHEN change.field_name IS NULL THEN change.description
           WHEN change.old_value IS NULL AND change.new_value IS NULL
               THEN change.field_name || ': ' || coalesce(change.description, 'changed')
           ELSE change.field_name || ': ' || coalesce(change.old_value, '') || ' -> ' || coalesce(change.new_value, '')
       END,
       change.issue_pk
FROM ims.issue_history change
JOIN ims.issues issue ON issue.issue_pk = change.issue_pk AND issue.user_id = change.user_id
WHERE change.changed_at IS NOT NULL
UNION ALL
SELECT said.user_id, said.commented_at, 'comment', issue.issue_id || ' ' || issue.title,
       concat_ws(': ', said.author, left(said.content, 200)), said.issue_pk
FROM ims.issue_comments said
JOIN ims.issues issue ON issue.issue_pk = said.issue_pk AND issue.user_id = said.user_id
WHERE said.commented_at IS NOT NULL AND said.removed_at IS NULL;

GRANT SELECT ON ims.v_recent_activity TO ims_app, ims_user, ims_readonly, ims_admin;

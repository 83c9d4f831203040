-- claim --
-- Hits that were not told by this channel yet, each given to one caller only. Where there are more hits than are looked at, one
-- that only now came among them is none that is new: its issue did not change.
INSERT INTO ims.alert_hits (saved_search_id, issue_pk, channel)
SELECT %(saved_search_id)s, issue.issue_pk, %(channel)s
FROM ims.issues issue
JOIN ims.alerts alert ON alert.user_id = issue.user_id AND alert.saved_search_id = %(saved_search_id)s
WHERE issue.issue_pk = ANY (%(issue_pks)s::bigint[]) AND issue.user_id = ims.current_user_id()
  AND (NOT %(some)s OR issue.last_crawled_at >= alert.created_at)
ORDER BY issue.issue_pk
ON CONFLICT DO NOTHING
RETURNING issue_pk

-- release --
-- Hits of which nobody can have heard.
DELETE FROM ims.alert_hits
WHERE user_id = ims.current_user_id() AND saved_search_id = %(saved_search_id)s AND channel = %(channel)s
  AND issue_pk = ANY (%(issue_pks)s::bigint[])
RETURNING issue_pk

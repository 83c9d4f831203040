-- What a crawl session came to, counted where it was committed; no row where the caller may not see the session.
--
--   found       what the search listed; related: what those pointed to, beside it
--   reasons     how many failed or were skipped for which reason, the 50 commonest and the rest together
--   complete    the session says completed, nothing is pending or failed, and its figures agree: the tracker's own
--               total (unless fewer were asked for), comments and history announced, and what it counted as it went;
--               every attached file is here, if they were asked for and wanted
--   waits       seconds
--   attachments_missing  attached files of its issues that were asked for and could not be had
--   attachments_skipped  those that were larger than wanted, or of another kind
--   attachment_reasons   why they are not here, as in reasons
DROP FUNCTION IF EXISTS ims.session_receipt(uuid);  -- for its columns may have been fewer
CREATE OR REPLACE FUNCTION ims.session_receipt(wanted uuid) RETURNS TABLE (
    session_uuid uuid, complete boolean, tracker_total integer, found bigint, stored_new bigint, stored_changed bigint,
    unchanged bigint, failed bigint, skipped bigint, reasons jsonb, comments_announced bigint, comments_stored bigint,
    history_announced bigint, history_stored bigint, pages_kept bigint, requests bigint, retries bigint,
    status text, related bigint, waits double precision, bytes bigint, attachments_downloaded bigint,
    attachments_missing bigint, attachments_skipped bigint, attachment_reasons jsonb
)
LANGUAGE sql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
WITH session AS (
    SELECT * FROM ims.crawl_sessions one
    WHERE one.session_uuid = wanted
    ORDER BY one.user_id = ims.current_user_id() DESC, one.session_id
    LIMIT 1
), reference AS (
    SELECT each.state, each.reason, each.detail, count(*) AS number
    FROM ims.session_frontier each
    WHERE each.session_id = (SELECT session_id FROM session)
    GROUP BY each.state, each.reason, each.detail
), total AS (
    SELECT coalesce(sum(number) FILTER (WHERE reason = 'search'), 0)::bigint AS found,
           coalesce(sum(number) FILTER (WHERE reason = 'related'), 0)::bigint AS related,
           coalesce(sum(number) FILTER (WHERE state = 'new'), 0)::bigint AS stored_new,
           coalesce(sum(number) FILTER (WHERE state = 'changed'), 0)::bigint AS stored_changed,
           coalesce(sum(number) FILTER (WHERE state = 'unchanged'), 0)::bigint AS unchanged,
           coalesce(sum(number) FILTER (WHERE state = 'failed'), 0)::bigint AS failed,
           coalesce(sum(number) FILTER (WHERE state = 'skipped'), 0)::bigint AS skipped,
           coalesce(sum(number) FILTER (WHERE state = 'pending'), 0)::bigint AS pending
    FROM reference
), absent AS (
    SELECT attached.download_skipped IS NOT NULL AS is_skipped,
           coalesce(attached.download_skipped, attached.download_error, 'no reason given') AS why, count(*) AS number
    FROM session
    JOIN ims.session_issues brought ON brought.session_id = session.session_id
    JOIN ims.attachments attached
        ON attached.user_id = brought.user_id AND attached.issue_pk = brought.issue_pk
    WHERE session.metadata @> '{"attachments": true}' AND NOT attached.downloaded AND attached.removed_at IS NULL
    GROUP BY 1, 2
), file AS (
    SELECT coalesce(sum(number) FILTER (WHERE NOT is_skipped), 0)::bigint AS missing,
           coalesce(sum(number) FILTER (WHERE is_skipped), 0)::bigint AS skipped
    FROM absent
), file_reason AS (
    SELECT CASE WHEN place <= 50 THEN why ELSE 'other reasons' END AS why, sum(number) AS number
    FROM (
        SELECT why, sum(number) AS number, row_number() OVER (ORDER BY sum(number) DESC, why) AS place
        FROM absent
        GROUP BY why
    ) AS counted
    GROUP BY 1
), reason AS (
    SELECT CASE WHEN place <= 50 THEN why ELSE 'other reasons' END AS why, sum(number) AS number
    FROM (
        SELECT coalesce(detail, 'no reason given') AS why, sum(number) AS number,
               row_number() OVER (ORDER BY sum(number) DESC, coalesce(detail, 'no reason given')) AS place
        FROM reference
        WHERE state IN ('failed', 'skipped')
        GROUP BY 1
    ) AS counted
    GROUP BY 1
)
SELECT session.session_uuid,
       session.status = 'completed'
           AND session.search_done
           AND total.pending = 0
           AND total.failed = 0
           AND (session.max_results IS NOT NULL OR total.found >= coalesce(session.tracker_total, 0))
           AND (session.total_issues_found, session.related_issues, session.issues_new, session.issues_changed,
                session.issues_unchanged, session.failed_issues, session.skipped_issues)
             = (total.found, total.related, total.stored_new, total.stored_changed, total.unchanged, total.failed,
                total.skipped)
           AND session.comments_stored >= session.comments_announced
           AND session.history_stored >= session.history_announced
           AND file.missing = 0,
       session.tracker_total, total.found, total.stored_new, total.stored_changed, total.unchanged, total.failed,
       total.skipped, coalesce((SELECT jsonb_object_agg(reason.why, reason.number) FROM reason), '{}'),
       session.comments_announced, session.comments_stored, session.history_announced, session.history_stored,
       session.pages_kept, session.requests, session.retries,
       session.status, total.related, session.wait_seconds, session.bytes_received,
       session.attachments_downloaded::bigint, file.missing, file.skipped,
       coalesce((SELECT jsonb_object_agg(file_reason.why, file_reason.number) FROM file_reason), '{}')
FROM session CROSS JOIN total CROSS JOIN file
$$;

GRANT EXECUTE ON FUNCTION ims.session_receipt(uuid) TO ims_app, ims_user, ims_readonly, ims_admin;

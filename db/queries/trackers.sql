-- mine --
-- One's own trackers with what is sealed of them, by name; an admin sees everybody's rows, names are each user's own.
SELECT t.tracker_id, t.user_id, t.name, t.kind, t.base_url, t.username, t.timezone, t.rate, t.concurrency, t.options,
       s.secret, s.proxy_secret
FROM ims.trackers t LEFT JOIN ims.tracker_secrets s USING (user_id, tracker_id)
WHERE t.user_id = ims.current_user_id()
  AND t.name = coalesce(%(name)s, t.name)
  AND t.tracker_id = coalesce(%(tracker_id)s, t.tracker_id)
ORDER BY t.name
LIMIT 10

-- at --
-- The one that was given by this address and account.
SELECT tracker_id
FROM ims.trackers
WHERE user_id = ims.current_user_id() AND kind = %(kind)s AND base_url = %(base_url)s
  AND username IS NOT DISTINCT FROM %(username)s
ORDER BY tracker_id
LIMIT 1

-- kinds_at --
SELECT DISTINCT kind
FROM ims.trackers
WHERE user_id = ims.current_user_id() AND base_url = %(base_url)s

-- add_adhoc --
-- Its name, with the first number behind it that makes it another one.
INSERT INTO ims.trackers (user_id, name, kind, base_url, username, options)
SELECT ims.current_user_id(), n.name, %(kind)s, %(base_url)s, %(username)s, %(options)s
FROM (
    SELECT %(name)s || CASE WHEN number > 1 THEN '-' || number ELSE '' END AS name, number
    FROM generate_series(1, 1 + (SELECT count(*) FROM ims.trackers WHERE user_id = ims.current_user_id())) AS number
) n
WHERE NOT EXISTS (SELECT FROM ims.trackers t WHERE t.user_id = ims.current_user_id() AND t.name = n.name)
ORDER BY number
LIMIT 1
RETURNING tracker_id

-- seal --
INSERT INTO ims.tracker_secrets (user_id, tracker_id, secret)
VALUES (ims.current_user_id(), %(tracker_id)s, %(secret)s)
ON CONFLICT (user_id, tracker_id) DO UPDATE SET secret = excluded.secret

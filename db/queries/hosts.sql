-- renew --
SELECT slots, start_in, moments, spacing, paused
FROM ims.renew_host_lease(%(lease)s, %(host)s, %(party)s, %(at_once)s, %(a_second)s, %(active)s, %(wanted)s, %(pause)s)

-- end --
SELECT ims.end_host_lease(%(lease)s)

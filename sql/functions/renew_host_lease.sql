-- A process's share of what a host may be asked, by the database's clock, over all processes and users. Called again
-- before it ends; whoever does not call again loses its share. The strictest limits of those that ask hold for all.
--
-- It runs as the owner since the shares of all users are weighed against each other; only the application's login calls
-- it, and it tells numbers only.
--
--   wanted_party   what shares one part: all processes of a session together get as much as one other session
--   at_once        requests at once that this process would allow
--   a_second       requests a second, or NULL for no limit
--   active         requests that it has under way: a share does not shrink below them before they are done
--   pause          seconds for which the host wants to be left alone
--   slots          requests at once that it may have now; 0: not yet
--   start_in       where there is a rate, a slot and a wish for moments: seconds until the first of them; where there are none
--                  for it yet, until the first that somebody may have
--   moments        so many, evenly spaced, to send one request at each: none other has them
--   spacing        seconds between two of them; NULL: no limit
--   paused         seconds that the host is to be left alone still
--
-- Whoever asks again and again gets a slot and, where there is a rate, a moment in bounded time: who has had them goes
-- to the end of the queue where others wait. hosts.next_at is the last moment that was handed out. The next one comes a
-- spacing after it, at the rate of those that ask *now*: a strict limit ends with the lease that brought it.
CREATE OR REPLACE FUNCTION ims.renew_host_lease(
    wanted_lease uuid, wanted_host text, wanted_party text, at_once integer, a_second double precision,
    active integer, moments_wanted integer, pause double precision
) RETURNS TABLE (
    slots integer, start_in double precision, moments integer, spacing double precision, paused double precision
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    lasting CONSTANT double precision := 5;  -- seconds
    time_slice CONSTANT double precision := 0.5;  -- seconds of a host's rate that one party gets at a time
    slowest CONSTANT double precision := 1.0 / 3600;  -- requests a second
    fastest CONSTANT double precision := 10000;
    longest_pause CONSTANT double precision := 3600;  -- seconds
    host ims_private.hosts;
    moment timestamptz;
    next_start timestamptz;
    ceiling integer;
    rate double precision;
    others integer;
    mine record;
    fair integer;
BEGIN
    INSERT INTO ims_private.hosts (host) VALUES (wanted_host) ON CONFLICT DO NOTHING;
    SELECT * INTO host FROM ims_private.hosts h WHERE h.host = wanted_host FOR UPDATE;
    moment := clock_timestamp();  -- after the lock: the order of calls is the order of moments

    -- A process that was killed has no connection any more: what it had is free at once.
    DELETE FROM ims_private.host_leases l
    WHERE l.host = wanted_host
      AND (l.expires_at < moment OR NOT EXISTS (SELECT FROM pg_stat_activity other WHERE other.pid = l.backend));
    INSERT INTO ims_private.host_leases AS l (lease, host, party, concurrency, rate, turn_at, expires_at, backend)
    VALUES (wanted_lease, wanted_host, wanted_party, greatest(at_once, 1),
            CASE WHEN a_second > 0 THEN least(greatest(a_second, slowest), fastest) END, moment,
            moment + make_interval(secs => lasting), pg_backend_pid())
    ON CONFLICT (lease) DO UPDATE SET expires_at = excluded.expires_at, backend = excluded.backend;

    SELECT min(l.concurrency), min(l.rate), coalesce(sum(l.slots) FILTER (WHERE l.lease <> wanted_lease), 0)
    INTO ceiling, rate, others
    FROM ims_private.host_leases l WHERE l.host = wanted_host;

    -- Where others have no slot, whoever had one goes to the end of the queue; one that waits for a moment keeps its
    -- slot until it has got that, since it was of no use before.
    UPDATE ims_private.host_leases l SET turn_at = moment
    WHERE l.lease = wanted_lease AND l.slots > 0 AND (rate IS NULL OR moments_wanted <= 0)
      AND EXISTS (SELECT FROM ims_private.host_leases o WHERE o.host = wanted_host AND o.slots = 0);

    -- Slots go round the parties, and within each party round its processes.
    SELECT p.place AS party_place, p.parties, m.place, m.members INTO mine
    FROM (SELECT g.party, row_number() OVER (ORDER BY max(g.turn_at), g.party) - 1 AS place, count(*) OVER () AS parties
          FROM ims_private.host_leases g WHERE g.host = wanted_host GROUP BY g.party) p
    JOIN (SELECT g.lease, g.party, row_number() OVER (PARTITION BY g.party ORDER BY g.turn_at, g.lease) - 1 AS place,
                 count(*) OVER (PARTITION BY g.party) AS members
          FROM ims_private.host_leases g WHERE g.host = wanted_host) m USING (party)
    WHERE m.lease = wanted_lease;
    fair := greatest(0, (ceiling - mine.party_place + mine.parties - 1) / mine.parties);
    fair := greatest(0, (fair - mine.place + mine.members - 1) / mine.members);
    slots := greatest(0, least(fair, ceiling - others));
    UPDATE ims_private.host_leases l SET slots = greatest(renew_host_lease.slots, active) WHERE l.lease = wanted_lease;

    host.paused_until := greatest(host.paused_until,
                                  moment + make_interval(secs => least(greatest(pause, 0), longest_pause)));
    moments := 0;
    spacing := 1 / rate;
    IF moments_wanted > 0 AND slots > 0 AND rate IS NOT NULL THEN
        -- None was handed out later than this, unless the clock went back since.
        host.next_at := least(host.next_at, moment + make_interval(secs => lasting + time_slice));
        next_start := greatest(host.next_at + make_interval(secs => spacing), host.paused_until, moment);
        start_in := extract(epoch FROM next_start - moment);
        -- A moment after the lease's end would be lost with it; those in front of the queue may take from further ahead.
        IF start_in * (1 + mine.place * mine.parties + mine.party_place) <= lasting THEN
            moments := greatest(1, floor(least(moments_wanted, rate * time_slice) / mine.members));
            host.next_at := next_start + make_interval(secs => (moments - 1) * spacing);
            UPDATE ims_private.host_leases l SET turn_at = moment WHERE l.lease = wanted_lease;
        END IF;
    END IF;
    UPDATE ims_private.hosts h SET next_at = host.next_at, paused_until = host.paused_until WHERE h.host = wanted_host;
    paused := greatest(0, extract(epoch FROM host.paused_until - moment));
    RETURN NEXT;
END
$$;

GRANT EXECUTE ON FUNCTION
    ims.renew_host_lease(uuid, text, text, integer, double precision, integer, integer, double precision) TO ims_app;

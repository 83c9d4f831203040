-- defer --
-- Puts jobs into the queue; in whatever transaction this is, so that a job is there if and only if what it is for is.
-- A job comes the later the more of its user's wait already: users take turns, however many jobs one of them has.
SELECT ims_jobs.procrastinate_defer_jobs_v1(array_agg(
    ROW(%(queue)s, %(task)s, 1 - job.place - waiting.number, NULL, NULL, job.args, NULL)
        ::ims_jobs.procrastinate_job_to_defer_v1 ORDER BY job.place))
FROM jsonb_array_elements(%(jobs)s) WITH ORDINALITY AS job (args, place)
CROSS JOIN (
    SELECT count(*) AS number
    FROM (SELECT FROM ims_jobs.procrastinate_jobs held
          WHERE held.status = 'todo' AND held.queue_name = %(queue)s
            AND held.args -> 'user_id' = %(jobs)s::jsonb -> 0 -> 'user_id'
          LIMIT 10000) AS own
) AS waiting

-- due --
SELECT user_id, saved_search_id FROM ims.due_schedules(%(most)s)

-- due_alerts --
SELECT user_id, saved_search_id FROM ims.due_alerts(%(most)s)

-- waits --
SELECT FROM ims_jobs.procrastinate_jobs WHERE task_name = %(task)s AND status = 'todo' AND args = %(args)s LIMIT 1

-- lost --
-- One statement, so that the queue and the runs are seen at the same moment.
SELECT user_id, run_id
FROM (SELECT coalesce(array_agg((args ->> 'run_id')::bigint), '{}') AS runs,
             coalesce(array_agg((args ->> 'session_id')::bigint), '{}') AS sessions
      FROM ims_jobs.procrastinate_jobs WHERE status IN ('todo', 'doing')) AS alive,
     ims.lost_runs(%(most)s, make_interval(secs => %(silence)s), alive.runs, alive.sessions)

-- stalled --
-- Jobs whose worker gave no sign of life for too long, or has been forgotten.
SELECT job.id, job.worker_id
FROM ims_jobs.procrastinate_jobs job LEFT JOIN ims_jobs.procrastinate_workers worker ON worker.id = job.worker_id
WHERE job.status = 'doing'
  AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %(seconds)s))
ORDER BY job.id

-- take_back --
-- Puts one stalled job back, unless it is somebody else's by now.
UPDATE ims_jobs.procrastinate_jobs job
SET status = 'todo', attempts = attempts + 1, worker_id = NULL, scheduled_at = now(), abort_requested = false
WHERE job.id = %(job_id)s AND job.status = 'doing' AND job.worker_id IS NOT DISTINCT FROM %(worker_id)s::bigint
  AND NOT EXISTS (SELECT FROM ims_jobs.procrastinate_workers worker
                  WHERE worker.id = job.worker_id
                    AND worker.last_heartbeat >= now() - make_interval(secs => %(seconds)s))

-- finish --
-- Ends a job, if the worker that did it still has it: one that slept too long may wake up when it is another's.
SELECT ims_jobs.procrastinate_finish_job_v1(held.id, %(status)s::ims_jobs.procrastinate_job_status, %(delete)s)
FROM (SELECT id FROM ims_jobs.procrastinate_jobs
      WHERE id = %(job_id)s AND status = 'doing' AND worker_id = %(worker_id)s FOR UPDATE) AS held

-- retry --
-- Puts a job back, under the same condition.
UPDATE ims_jobs.procrastinate_jobs
SET status = 'todo', attempts = attempts + 1, worker_id = NULL, scheduled_at = %(at)s, abort_requested = false
WHERE id = %(job_id)s AND status = 'doing' AND worker_id = %(worker_id)s

-- unfinished --
-- How many jobs are under way or could begin now.
SELECT count(*) FROM ims_jobs.procrastinate_jobs
WHERE (status = 'doing' OR (status = 'todo' AND coalesce(scheduled_at, now()) <= now() + make_interval(secs => %(seconds)s)))
  AND queue_name = coalesce(%(queue)s, queue_name)

-- clean --
-- Forgets jobs that failed long ago, workers that vanished long ago, hosts that nobody asks.
DELETE FROM ims_jobs.procrastinate_jobs job
WHERE status IN ('failed', 'aborted', 'cancelled')
  AND NOT EXISTS (SELECT FROM ims_jobs.procrastinate_events event
                  WHERE event.job_id = job.id AND event.at > now() - interval '7 days')

-- clean_workers --
DELETE FROM ims_jobs.workers WHERE last_seen_at < now() - interval '1 day'

-- sign_of_life --
INSERT INTO ims_jobs.workers (worker, name, concurrency, queue_worker_id, stopping, waits_for)
VALUES (%(worker)s, %(name)s, %(concurrency)s, %(queue_worker_id)s, %(stopping)s, %(waits_for)s)
ON CONFLICT (worker) DO UPDATE
SET queue_worker_id = excluded.queue_worker_id, stopping = excluded.stopping, waits_for = excluded.waits_for,
    last_seen_at = clock_timestamp()

-- farewell --
DELETE FROM ims_jobs.workers WHERE worker = %(worker)s

-- workers --
SELECT worker.name,
       CASE WHEN worker.last_seen_at < now() - make_interval(secs => %(lease_timeout)s) THEN 'lost'
            WHEN worker.stopping THEN 'stopping'
            WHEN count(job.id) > 0 THEN 'working'
            ELSE 'idle' END AS state,
       count(job.id) AS jobs, worker.concurrency, worker.started_at, worker.last_seen_at,
       worker.waits_for
FROM ims_jobs.workers worker
LEFT JOIN ims_jobs.procrastinate_jobs job ON job.worker_id = worker.queue_worker_id AND job.status = 'doing'
GROUP BY worker.worker
ORDER BY worker.started_at, worker.name, worker.worker
LIMIT %(limit)s OFFSET %(offset)s

-- hold --
-- The row stays locked until the commit, so that nobody takes the chunk between the question and the commit.
UPDATE ims.session_chunks
SET heartbeat_at = clock_timestamp()
WHERE session_id = %(session_id)s AND chunk_number = %(chunk_number)s AND fence = %(fence)s AND state = 'working'

-- split --
-- Divides what the search has found behind the last chunk into further ones of equal size; what is left over comes
-- only with the end of the search.
WITH last AS (
    SELECT coalesce(max(last_position), -1) AS upto, coalesce(max(chunk_number), 0) AS number
    FROM ims.session_chunks WHERE session_id = %(session_id)s
), numbered AS (
    SELECT known.position, (row_number() OVER (ORDER BY known.position) - 1) / %(size)s AS place
    FROM ims.session_frontier known, last
    WHERE known.session_id = %(session_id)s AND known.position > last.upto
), part AS (
    SELECT place, min(position) AS first_position, max(position) AS last_position
    FROM numbered GROUP BY place HAVING count(*) = %(size)s OR %(rest)s
)
INSERT INTO ims.session_chunks (session_id, chunk_number, first_position, last_position)
SELECT %(session_id)s, last.number + 1 + part.place, part.first_position, part.last_position
FROM part, last ORDER BY part.place
RETURNING chunk_number

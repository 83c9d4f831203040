-- list --
-- What a tracker's status words mean; those that nobody could place come first.
SELECT word, issues, changes, state, is_own AS own
FROM ims.v_tracker_states
WHERE user_id = ims.current_user_id() AND tracker_id = %(tracker_id)s
ORDER BY state <> 'unknown', issues DESC, changes DESC, word LIMIT %(limit)s OFFSET %(offset)s

-- say --
-- Each word once, however it is spelled; the last that was said of it counts.
INSERT INTO ims.tracker_states AS stored (tracker_id, word, state)
SELECT DISTINCT ON (ims.plain_status(said.word)) %(tracker_id)s, said.word, said.state
FROM unnest(%(words)s::text[], %(states)s::text[]) WITH ORDINALITY AS said (word, state, place)
ORDER BY ims.plain_status(said.word), said.place DESC
ON CONFLICT (user_id, tracker_id, lower(btrim(regexp_replace(word, '[\s\u00a0]+', ' ', 'g')))) DO UPDATE
SET word = excluded.word, state = excluded.state
WHERE (stored.word, stored.state) <> (excluded.word, excluded.state)
RETURNING word

-- forget --
DELETE FROM ims.tracker_states
WHERE user_id = ims.current_user_id() AND tracker_id = %(tracker_id)s
  AND ims.plain_status(word) IN (SELECT ims.plain_status(said) FROM unnest(%(words)s::text[]) AS said)
RETURNING word

-- own --
SELECT ims.plain_status(word), state FROM ims.tracker_states
WHERE user_id = ims.current_user_id() AND tracker_id = %(tracker_id)s

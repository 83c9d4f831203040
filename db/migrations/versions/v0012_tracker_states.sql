CREATE TABLE IF NOT EXISTS ims.tracker_states (
    user_id integer NOT NULL DEFAULT ims.current_user_id(),
    tracker_id bigint NOT NULL,
    word text NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (user_id, tracker_id, word),
    FOREIGN KEY (user_id, tracker_id) REFERENCES ims.trackers (user_id, tracker_id) ON DELETE CASCADE,
    CONSTRAINT tracker_states_state_check CHECK (state IN ('open', 'in_progress', 'done', 'unknown'))
);
-- A word has one state, however it is typed: as ims.plain_status has it, which is not there yet.
CREATE UNIQUE INDEX IF NOT EXISTS tracker_states_plain_idx
    ON ims.tracker_states (user_id, tracker_id, lower(btrim(regexp_replace(word, '[\s\u00a0]+', ' ', 'g'))));

ALTER TABLE ims.issues ADD COLUMN IF NOT EXISTS tracker_state text;

-- Issues follow the words of their tracker's owner: whoever changes what a word means sees every issue in it counted anew,
-- without another crawl. One writer of the tracker at a time, as the loader has it.
CREATE OR REPLACE FUNCTION ims_private.follow_words() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed ims.tracker_states[] := ARRAY[]::ims.tracker_states[];
    each ims.tracker_states;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        changed := changed || OLD;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        changed := changed || NEW;
    END IF;
    FOREACH each IN ARRAY changed LOOP
        PERFORM FROM ims.trackers own
        WHERE own.user_id = each.user_id AND own.tracker_id = each.tracker_id FOR NO KEY UPDATE;
        UPDATE ims.issues SET state = state
        WHERE user_id = each.user_id AND tracker_id = each.tracker_id
          AND ims.plain_status(status) = ims.plain_status(each.word);
    END LOOP;
    RETURN NULL;
END
$$;

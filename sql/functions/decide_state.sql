-- The one place where an issue's state is decided: what its owner says of its status word (ims.tracker_states), else what the
-- tracker told, or where it told nothing, what crawler/states.py knows of the word. What was told stays in tracker_state
-- where the owner's word speaks instead, so that the word can be taken back.
CREATE OR REPLACE FUNCTION ims_private.decide_state() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told text := NEW.state;
    own text;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.state = OLD.state THEN
        told := coalesce(OLD.tracker_state, OLD.state);
    END IF;
    SELECT said.state INTO own
    FROM ims.tracker_states said
    WHERE said.user_id = NEW.user_id AND said.tracker_id = NEW.tracker_id
      AND ims.plain_status(said.word) = ims.plain_status(NEW.status);
    NEW.state := coalesce(own, told);
    NEW.tracker_state := CASE WHEN own IS NOT NULL THEN told END;
    RETURN NEW;
END
$$;

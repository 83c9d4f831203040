-- A state is decided whoever writes an issue. The loader updates with what an insertion of the same row came to.
CREATE OR REPLACE TRIGGER decide_state_inserted BEFORE INSERT ON ims.issues
    FOR EACH ROW EXECUTE FUNCTION ims_private.decide_state();
CREATE OR REPLACE TRIGGER decide_state_updated BEFORE UPDATE OF status, state ON ims.issues
    FOR EACH ROW WHEN (current_setting('ims.bulk', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ims_private.decide_state();

-- Not where words go with their tracker: then nothing of it is left to be counted.
CREATE OR REPLACE TRIGGER a_follow_words AFTER INSERT OR UPDATE OR DELETE ON ims.tracker_states
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ims_private.follow_words();
CREATE OR REPLACE TRIGGER b_recount AFTER INSERT OR UPDATE OR DELETE ON ims.tracker_states
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ims_private.recount();

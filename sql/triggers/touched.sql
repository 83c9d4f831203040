-- The time of the last change, where a table has one.
CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON ims.users
    FOR EACH ROW EXECUTE FUNCTION ims_private.touch();
CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON ims.trackers
    FOR EACH ROW EXECUTE FUNCTION ims_private.touch();
CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON ims.tracker_secrets
    FOR EACH ROW EXECUTE FUNCTION ims_private.touch();
CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON ims.saved_searches
    FOR EACH ROW EXECUTE FUNCTION ims_private.touch();

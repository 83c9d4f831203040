-- What goes into the audit log.
CREATE OR REPLACE TRIGGER c_audit AFTER INSERT OR UPDATE OR DELETE ON ims.users
    FOR EACH ROW EXECUTE FUNCTION ims_private.audit_row('user_id', 'but', 'updated_at', 'last_login_at');
CREATE OR REPLACE TRIGGER c_audit AFTER INSERT OR UPDATE OR DELETE ON ims.trackers
    FOR EACH ROW EXECUTE FUNCTION ims_private.audit_row('tracker_id', 'but', 'updated_at');
CREATE OR REPLACE TRIGGER c_audit AFTER INSERT OR UPDATE OR DELETE ON ims.alerts
    FOR EACH ROW EXECUTE FUNCTION ims_private.audit_row(
        'saved_search_id', 'only', 'command', 'webhook_site', 'cron', 'timezone');
CREATE OR REPLACE TRIGGER c_audit AFTER INSERT OR UPDATE OR DELETE ON ims.tracker_states
    FOR EACH ROW EXECUTE FUNCTION ims_private.audit_row('word', 'all');
-- That a password was set, never what it is.
CREATE OR REPLACE TRIGGER c_audit AFTER INSERT OR UPDATE OR DELETE ON ims.tracker_secrets
    FOR EACH ROW EXECUTE FUNCTION ims_private.audit_row('tracker_id', 'none');
CREATE OR REPLACE TRIGGER c_audit AFTER INSERT OR UPDATE OR DELETE ON ims.saved_searches
    FOR EACH ROW EXECUTE FUNCTION ims_private.audit_row('saved_search_id', 'but', 'updated_at', 'next_run_at', 'failures');
CREATE OR REPLACE TRIGGER c_audit AFTER UPDATE OF status ON ims.crawl_sessions
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION ims_private.audit_row('session_uuid', 'only', 'status');
CREATE OR REPLACE TRIGGER c_audit_deletions AFTER DELETE ON ims.crawl_sessions
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
    EXECUTE FUNCTION ims_private.audit_deletions(
        'session_uuid', 'session_id', 'original_query', 'status', 'started_at', 'issues_crawled');
CREATE OR REPLACE TRIGGER c_audit_deletions AFTER DELETE ON ims.issues
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
    EXECUTE FUNCTION ims_private.audit_deletions('issue_pk', 'issue_id', 'tracker_id', 'title');

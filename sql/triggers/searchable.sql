-- What is found stays what is stored, whoever writes it.
CREATE OR REPLACE TRIGGER refresh_vector BEFORE INSERT OR UPDATE OF user_id, title, description ON ims.issues
    FOR EACH ROW WHEN (current_setting('ims.bulk', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ims_private.refresh_vector();

CREATE OR REPLACE TRIGGER refresh_parents_inserted AFTER INSERT ON ims.issue_comments
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ims_private.refresh_parents();
CREATE OR REPLACE TRIGGER refresh_parents_updated AFTER UPDATE ON ims.issue_comments
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ims_private.refresh_parents();
CREATE OR REPLACE TRIGGER refresh_parents_deleted AFTER DELETE ON ims.issue_comments
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ims_private.refresh_parents();

CREATE OR REPLACE TRIGGER refresh_parents_inserted AFTER INSERT ON ims.attachments
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ims_private.refresh_parents();
CREATE OR REPLACE TRIGGER refresh_parents_updated AFTER UPDATE ON ims.attachments
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ims_private.refresh_parents();
CREATE OR REPLACE TRIGGER refresh_parents_deleted AFTER DELETE ON ims.attachments
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ims_private.refresh_parents();

CREATE OR REPLACE TRIGGER refresh_vector BEFORE INSERT OR UPDATE OF user_id, member, content ON ims.file_text_parts
    FOR EACH ROW EXECUTE FUNCTION ims_private.refresh_part_vector();
CREATE OR REPLACE TRIGGER forget_texts AFTER DELETE ON ims.attachments
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ims_private.forget_texts();

-- Whom one may be follows the table users.
CREATE OR REPLACE TRIGGER a_keep_identity
    AFTER INSERT OR UPDATE OR DELETE ON ims.users
    FOR EACH ROW EXECUTE FUNCTION ims_private.keep_identity();

CREATE OR REPLACE TRIGGER b_align_login
    AFTER UPDATE OF role, is_active ON ims.users
    FOR EACH ROW
    WHEN (OLD.role <> NEW.role OR OLD.is_active <> NEW.is_active)
    EXECUTE FUNCTION ims_private.align_login();

-- After the map follows: it is what the function looks at.
CREATE OR REPLACE TRIGGER b_keep_an_admin_updated
    AFTER UPDATE ON ims.users
    FOR EACH ROW
    WHEN (OLD.role = 'admin' AND OLD.is_active AND NOT (NEW.role = 'admin' AND NEW.is_active))
    EXECUTE FUNCTION ims_private.keep_an_admin();

CREATE OR REPLACE TRIGGER b_keep_an_admin_deleted
    AFTER DELETE ON ims.users
    FOR EACH ROW
    WHEN (OLD.role = 'admin' AND OLD.is_active)
    EXECUTE FUNCTION ims_private.keep_an_admin();

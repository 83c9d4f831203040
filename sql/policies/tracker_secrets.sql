-- Their owner's only: no admin and no analyst reads another's, not even encrypted.
SELECT ims_private.close_table('ims.tracker_secrets');
SELECT ims_private.bound_columns('ims.tracker_secrets');

CREATE POLICY own_rows ON ims.tracker_secrets TO ims_user, ims_app, ims_admin
    USING (user_id = (SELECT ims.current_user_id())) WITH CHECK (user_id = (SELECT ims.current_user_id()));
CREATE POLICY own_ceiling ON ims.tracker_secrets AS RESTRICTIVE TO ims_user, ims_app, ims_admin, ims_readonly
    USING (user_id = (SELECT ims.current_user_id())) WITH CHECK (user_id = (SELECT ims.current_user_id()));
CREATE POLICY readonly_rows ON ims.tracker_secrets FOR SELECT TO ims_readonly
    USING (user_id = (SELECT ims.current_user_id()));

GRANT SELECT, INSERT (tracker_id, user_id, secret, proxy_secret, updated_at),
    UPDATE (tracker_id, user_id, secret, proxy_secret, updated_at)
    ON ims.tracker_secrets TO ims_user, ims_app;
GRANT DELETE ON ims.tracker_secrets TO ims_acting_user, ims_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ims.tracker_secrets TO ims_admin;
GRANT SELECT ON ims.tracker_secrets TO ims_readonly;

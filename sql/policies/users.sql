-- One's own row: to be seen, and to be changed where it gives no power. Admins make and change users; what login a
-- user has is kept by the functions that make logins.
SELECT ims_private.protect_table('ims.users');

REVOKE INSERT, UPDATE, DELETE ON ims.users FROM ims_user, ims_acting_user, ims_app, ims_admin;
GRANT UPDATE (email, full_name, department, preferences, last_login_at) ON ims.users TO ims_user, ims_app;
GRANT INSERT (user_id, username, email, full_name, department, role, is_active, preferences, db_login, created_at,
              updated_at, last_login_at),
      UPDATE (username, email, full_name, department, role, is_active, preferences, updated_at, last_login_at),
      DELETE
    ON ims.users TO ims_admin;

-- An INSERT may say that there is no login, as a model's does, and nothing else.
CREATE POLICY no_login_yet ON ims.users AS RESTRICTIVE FOR INSERT TO ims_admin WITH CHECK (db_login IS NULL);

-- The maker of logins looks at the user for whom it makes one, on behalf of an admin.
CREATE POLICY login_maker_rows ON ims.users TO ims_login_maker
    USING ((SELECT ims.current_user_role()) = 'admin')
    WITH CHECK ((SELECT ims.current_user_role()) = 'admin');
GRANT SELECT, UPDATE (db_login) ON ims.users TO ims_login_maker;

-- The search function goes through everybody's issues where an admin or analyst asks; disabled users' schedules rest.
GRANT SELECT (user_id, is_active) ON ims.users TO ims_searcher;

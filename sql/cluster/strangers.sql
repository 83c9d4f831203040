-- Logins that this server did not make for these users are nobody: they came with a dump from elsewhere, or were dropped
-- or renamed since. An admin makes new ones. Run by an administrator at every init and upgrade.
UPDATE ims_private.identities known
SET login_oid = NULL, login_name = NULL, login_cluster = NULL
WHERE login_oid IS NOT NULL AND NOT ims_private.is_enrolled(user_id, login_name);
UPDATE ims.users
SET db_login = NULL
WHERE db_login IS NOT NULL AND NOT ims_private.is_enrolled(user_id, db_login);

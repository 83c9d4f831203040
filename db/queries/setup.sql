-- server_facts --
SELECT current_setting('server_version'), pg_database_size(current_database())

-- first_admin --
-- The first admin, or an active one again where none is left.
INSERT INTO ims.users (username, role)
SELECT %s, 'admin' WHERE NOT EXISTS (SELECT FROM ims.users WHERE role = 'admin' AND is_active)
ON CONFLICT (username) DO UPDATE SET role = excluded.role, is_active = true

-- first_use --
-- A user on first use: an admin where there is no other user.
INSERT INTO ims.users (username, role)
SELECT %s, CASE WHEN EXISTS (SELECT FROM ims.users) THEN 'user' ELSE 'admin' END
WHERE NOT EXISTS (SELECT FROM ims.users WHERE username = %s) ON CONFLICT DO NOTHING

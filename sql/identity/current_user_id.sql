-- Whom this session acts for, or NULL; NULL for a disabled user at once.
--
-- The application's login: the one that ims.set_current_user named in this transaction; the transaction's own start
-- time in the setting makes one from an earlier transaction worthless. Any other login is its user, whatever is set: a
-- person's by the private map, a visit by its name, which only ims.open_visit gives.
CREATE OR REPLACE FUNCTION ims.current_user_id() RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    claim text;
    acting integer;
BEGIN
    IF pg_has_role(session_user, 'ims_delegate', 'MEMBER') THEN
        claim := current_setting('ims.identity', true);
        IF split_part(claim, '/', 2) IS DISTINCT FROM extract(epoch FROM transaction_timestamp())::text THEN
            RETURN NULL;
        END IF;
        SELECT known.user_id INTO acting
        FROM ims_private.identities known
        WHERE known.user_id = split_part(claim, '/', 1)::integer AND known.is_active;
    ELSE
        -- By name: a cast of session_user to regrole folds its case.
        SELECT known.user_id INTO acting
        FROM ims_private.identities known
        WHERE known.login_name = session_user AND known.is_active
          AND ims_private.is_enrolled(known.user_id, session_user);
        IF acting IS NULL AND starts_with(session_user, 'ims_visit_') THEN
            SELECT known.user_id INTO acting
            FROM ims_private.identities known
            WHERE known.user_id = ims_private.visitor(session_user) AND known.is_active;
        END IF;
    END IF;
    RETURN acting;
END
$$;

GRANT EXECUTE ON FUNCTION ims.current_user_id()
    TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher, ims_login_maker;

-- Act for a user until the end of the transaction. The group of the user's role comes with it, so that policies are a
-- single equality, and an admin who acts as somebody else has no more than they have.
--
-- Call it first in the transaction: made within a savepoint that is rolled back, it is gone.
CREATE OR REPLACE FUNCTION ims.set_current_user(user_id integer) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    group_role CONSTANT text := ims.admit(user_id);
BEGIN
    IF group_role IS NOT NULL THEN
        PERFORM set_config('ims.identity',
                           user_id || '/' || extract(epoch FROM transaction_timestamp()), true);
        PERFORM set_config('role', group_role, true);
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION ims.set_current_user(integer) TO ims_app, ims_user, ims_readonly, ims_admin;

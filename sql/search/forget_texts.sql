-- runs as: administrator
-- Files went: what they said goes with them, unless another issue of the same user has the same bytes.
--
-- As the role that the program becomes for an ordinary user, for a trigger of a row that goes with its issue may run as the
-- tables' owner, who sees no row. It reaches the rows of whoever acts; where an admin deletes somebody else's, db prune
-- sweeps up.
CREATE OR REPLACE FUNCTION ims_private.forget_texts() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM ims.file_texts told
    USING (SELECT DISTINCT user_id, sha256 FROM gone WHERE sha256 IS NOT NULL) AS file
    WHERE told.user_id = file.user_id AND told.sha256 = file.sha256
      AND NOT EXISTS (SELECT FROM ims.attachments other
                      WHERE other.user_id = file.user_id AND other.sha256 = file.sha256);
    RETURN NULL;
END
$$;

ALTER FUNCTION ims_private.forget_texts() OWNER TO ims_acting_user;
REVOKE ALL ON FUNCTION ims_private.forget_texts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.forget_texts() TO ims_owner;

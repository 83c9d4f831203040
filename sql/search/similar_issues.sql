-- runs as: administrator
-- Other issues of the same owner that are like one, the most alike first; see ims_private.alike.
--
-- It runs past row security for the same reason as ims.search_hits, and says itself whose rows it wants, as a lexeme for
-- the index and as a column for the truth. An issue that whoever asks does not see has nothing similar.
--
--   max_rows   0 to 1000
--   only_open  only those that are open or in progress
DROP FUNCTION IF EXISTS ims.similar_issues(bigint, integer);
CREATE OR REPLACE FUNCTION ims.similar_issues(wanted bigint, max_rows integer DEFAULT 10, only_open boolean DEFAULT false)
RETURNS TABLE (issue_pk bigint, score real, terms text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    me CONSTANT integer := ims.current_user_id();
    everyone CONSTANT boolean := ims.sees_everybody();
    subject record;
BEGIN
    SELECT user_id, product, module, search_vector INTO subject
    FROM ims.issues issue
    WHERE issue.issue_pk = wanted AND (everyone OR issue.user_id = me);
    IF subject.user_id IS NOT NULL THEN
        RETURN QUERY SELECT * FROM ims_private.alike(
            subject.search_vector, subject.user_id, subject.product, subject.module, wanted, only_open, max_rows);
    END IF;
END
$$;

ALTER FUNCTION ims.similar_issues(bigint, integer, boolean) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.similar_issues(bigint, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.similar_issues(bigint, integer, boolean) TO ims_app, ims_user, ims_readonly, ims_admin;

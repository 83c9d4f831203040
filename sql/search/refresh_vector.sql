-- An issue's own texts changed: its vector follows. The bulk loader makes its own and says so.
CREATE OR REPLACE FUNCTION ims_private.refresh_vector() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.search_vector := ims.document_vector(
        NEW.user_id, NEW.title, NEW.description,
        (SELECT string_agg(content, E'\n' ORDER BY comment_id) FROM ims.issue_comments
         WHERE issue_pk = NEW.issue_pk AND removed_at IS NULL),
        ims.file_words(NEW.issue_pk));
    RETURN NEW;
END
$$;

-- runs as: administrator
-- Other issues of the same owner that share the rarest words of one, the most alike first.
--
-- It runs past row security for the same reason as ims.search_issues, and says itself whose rows it wants, as a lexeme for
-- the index and as a column for the truth. An issue that whoever asks does not see has nothing similar.
--
-- What it costs is bounded: words that many of the owner's newest issues have are left out before the index is asked,
-- and of the others only so many are looked up, those of the title first.
--
--   max_rows  0 to 1000
--   score     the sum of how rare the shared words are, those of the title counting most
--   terms     the shared words, the rarest first; two letters of a script without spaces are a word
CREATE OR REPLACE FUNCTION ims.similar_issues(wanted bigint, max_rows integer DEFAULT 10)
RETURNS TABLE (issue_pk bigint, score real, terms text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    sample CONSTANT integer := 400;  -- issues that tell which words are common
    common CONSTANT real := 0.02;  -- of them
    looked_up CONSTANT integer := 150;  -- words
    me CONSTANT integer := ims.current_user_id();
    everyone CONSTANT boolean := ims.sees_everybody();
    possessor integer;
    mine tsquery;
    candidates tsquery[];
    words text[];
    worths real[];
BEGIN
    SELECT issue.user_id INTO possessor
    FROM ims.issues issue
    WHERE issue.issue_pk = wanted AND (everyone OR issue.user_id = me);
    IF possessor IS NULL THEN
        RETURN;
    END IF;
    mine := ('''owner ' || possessor || '''')::tsquery;

    WITH own AS (
        SELECT lexeme, ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS query,
               CASE WHEN 'A' = ANY (weights) THEN 1 WHEN 'B' = ANY (weights) THEN 0.5 ELSE 0.25 END AS worth
        FROM ims.issues issue CROSS JOIN LATERAL unnest(issue.search_vector)
        WHERE issue.issue_pk = wanted AND cardinality(positions) > 0
          AND lexeme !~ '^[ǀǂ]' AND char_length(ltrim(lexeme, 'ǁ')) > 1  -- neither parts and variants of names nor letters
        ORDER BY 3 DESC, char_length(lexeme) DESC, lexeme LIMIT looked_up * 4
    ), newest AS MATERIALIZED (
        -- Put together with nothing, a vector is fetched and unpacked once.
        SELECT issue.search_vector || ''::tsvector AS vector
        FROM ims.issues issue
        WHERE issue.user_id = possessor AND issue.removed_at IS NULL AND issue.issue_pk <> wanted
        ORDER BY issue.modified_date DESC LIMIT sample
    ), rare AS (
        SELECT own.*
        FROM own
        WHERE (SELECT count(*) FROM newest WHERE vector @@ own.query) <= 5 + common * (SELECT count(*) FROM newest)
        ORDER BY own.worth DESC, char_length(lexeme) DESC, lexeme LIMIT looked_up
    )
    SELECT array_agg(mine && query), array_agg(ltrim(lexeme, 'ǁ')), array_agg(worth)
    INTO candidates, words, worths
    FROM rare;

    RETURN QUERY
    WITH places AS (
        SELECT word.place, issue.issue_pk, count(*) OVER (PARTITION BY word.place) AS found
        FROM generate_subscripts(candidates, 1) AS word (place)
        CROSS JOIN LATERAL (  -- by the text index alone, whatever the planner thinks of how many rows an owner has
            SELECT * FROM ims.issues WHERE search_vector @@ candidates[word.place] OFFSET 0
        ) issue
        WHERE issue.user_id = possessor AND issue.removed_at IS NULL AND issue.issue_pk <> wanted
    )
    SELECT places.issue_pk, sum(worths[place] / ln(1 + found::real))::real AS score,
           array_agg(words[place] ORDER BY found, worths[place] DESC, words[place])
    FROM places
    GROUP BY places.issue_pk
    ORDER BY score DESC, places.issue_pk DESC
    LIMIT least(greatest(coalesce(max_rows, 10), 0), 1000);
END
$$;

ALTER FUNCTION ims.similar_issues(bigint, integer) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.similar_issues(bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.similar_issues(bigint, integer) TO ims_app, ims_user, ims_readonly, ims_admin;

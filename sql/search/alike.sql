-- Stored issues that have the rarest words of a vector, of ims.document_vector, the most alike first.
--
-- What it costs is bounded: words that many of the newest issues have are left out before the index is asked, and of the
-- others only so many are looked up, frames and the title's first, and as many as an owner has issues are found by them in all.
--
--   possessor  whose issues; NULL: everybody's
--   apart      an issue that is not asked for
--   score      the sum of how rare what is shared is: a frame and a code count more than a word, a word of both titles more
--              than one further down; an issue of the same module or product more than another
--   terms      the shared words, the most telling first; two letters of a script without spaces are a word
CREATE OR REPLACE FUNCTION ims_private.alike(
    vector tsvector, possessor integer, product text, module text, apart bigint, only_open boolean, max_rows integer
) RETURNS TABLE (issue_pk bigint, score real, terms text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    sample CONSTANT integer := 400;  -- issues that tell which words are common
    common CONSTANT real := 0.15;  -- of them
    looked_up CONSTANT integer := 150;  -- words
    rescored CONSTANT integer := 200;  -- issues
    mine CONSTANT tsquery := CASE WHEN possessor IS NULL THEN '' ELSE quote_literal('owner ' || possessor) END::tsquery;
    candidates tsquery[];
    titled tsquery[];  -- the same in a title; a frame counts alike wherever it is
    words text[];
    worths real[];
BEGIN
    WITH own AS (  -- of several forms of a word one, at its best place
        SELECT DISTINCT ON (query) query, shown, worth * place AS worth, place = 1 AS first, lexeme
        FROM (SELECT lexeme, CASE WHEN 'A' = ANY (weights) OR lexeme LIKE 'ǃ%' THEN 1 WHEN 'B' = ANY (weights) THEN 0.5 ELSE 0.25 END AS place
              FROM unnest(vector)
              WHERE positions IS NOT NULL
              ORDER BY lexeme LIKE 'ǃ%' DESC, place DESC, char_length(lexeme) DESC, lexeme LIMIT looked_up * 4) AS placed
        CROSS JOIN LATERAL ims_private.telling(lexeme)
        WHERE query IS NOT NULL
        ORDER BY query, place DESC
    ), newest AS (
        SELECT word, ndoc FROM ts_stat(format(
            'SELECT search_vector FROM ims.issues WHERE %s AND removed_at IS NULL ORDER BY %s DESC LIMIT %s',
            CASE WHEN possessor IS NULL THEN 'true' ELSE 'user_id = ' || possessor END,
            CASE WHEN possessor IS NULL THEN 'issue_pk' ELSE 'modified_date' END, sample))
    ), rare AS (
        SELECT own.*, sum(coalesce(ndoc, 0)) OVER ranked AS cost, row_number() OVER ranked AS place
        FROM own LEFT JOIN newest ON newest.word = own.lexeme
        WHERE coalesce(ndoc, 0) <= 5 + common * (SELECT ndoc FROM newest WHERE word = 'ǀ')  -- which all have
        WINDOW ranked AS (ORDER BY first DESC, worth / ln(2 + coalesce(ndoc, 0)) DESC, lexeme)
    )
    SELECT array_agg(mine && replace(query, E'\u0001', '')::tsquery), array_agg(replace(query, E'\u0001', CASE WHEN lexeme LIKE 'ǃ%' THEN '' ELSE 'A' END)::tsquery),
           array_agg(shown), array_agg(worth)
    INTO candidates, titled, words, worths
    FROM rare
    WHERE cost <= sample AND place <= looked_up;

    RETURN QUERY
    WITH places AS (
        SELECT word.place, issue.issue_pk, count(*) OVER (PARTITION BY word.place) AS found
        FROM generate_subscripts(candidates, 1) AS word (place)
        CROSS JOIN LATERAL (  -- by the text index alone, whatever the planner thinks of how many rows an owner has
            SELECT * FROM ims.issues WHERE search_vector @@ candidates[word.place] OFFSET 0
        ) issue
        WHERE (possessor IS NULL OR issue.user_id = possessor) AND issue.removed_at IS NULL
          AND issue.issue_pk IS DISTINCT FROM apart
          AND (NOT only_open OR issue.state IN ('open', 'in_progress'))
    ), likely AS (
        SELECT places.issue_pk, array_agg(place) AS shared, array_agg(worths[place] / ln(1 + found::real)) AS shares
        FROM places
        GROUP BY places.issue_pk
        ORDER BY sum(worths[place] / ln(1 + found::real)) DESC LIMIT rescored
    ), scored AS (
        SELECT likely.issue_pk, rest.score / sqrt(20 + length(unpacked.vector)) * CASE WHEN issue.module = alike.module THEN 1.15 ELSE 1 END
               * CASE WHEN issue.product = alike.product THEN 1.1 ELSE 1 END AS score, rest.terms
        FROM likely
        JOIN ims.issues issue USING (issue_pk)
        CROSS JOIN LATERAL (SELECT issue.search_vector || ''::tsvector) AS unpacked (vector)
        CROSS JOIN LATERAL (
            SELECT sum(share * CASE WHEN unpacked.vector @@ titled[place] THEN 1 ELSE 0.7 END) AS score,
                   array_agg(words[place] ORDER BY share DESC, words[place]) AS terms
            FROM unnest(likely.shared, likely.shares) AS own (place, share)
        ) AS rest
    )
    SELECT scored.issue_pk, scored.score::real, scored.terms
    FROM scored
    ORDER BY scored.score DESC, scored.issue_pk DESC
    LIMIT least(greatest(coalesce(max_rows, 10), 0), 1000);
END
$$;

REVOKE ALL ON FUNCTION ims_private.alike(tsvector, integer, text, text, bigint, boolean, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.alike(tsvector, integer, text, text, bigint, boolean, integer) TO ims_searcher;

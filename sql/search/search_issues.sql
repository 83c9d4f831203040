-- runs as: administrator
-- Find stored issues with a query in the direct syntax, the best first. One's own; everybody's where the transaction
-- sees them (ims.sees_everybody).
--
-- It runs past row security because @@ is not leakproof: below a policy the text index would not be used. So it says
-- itself whose rows it wants, as a lexeme for the index and as a column for the truth.
--
--   product_filter  a product, or the beginning of several's names, in whatever case
--   max_rows        0 to 10000
--   filters         what an issue must have beside the words, see ims_private.read_filters
--   rank            2 where the query names the issue's number or key, else below 1
CREATE OR REPLACE FUNCTION ims.search_issues(
    query_text text, product_filter text DEFAULT NULL, max_rows integer DEFAULT 100, filters jsonb DEFAULT '{}'
) RETURNS TABLE (
    issue_pk bigint, issue_id text, title text, description text, product text, status text, rank real, snippet text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan  -- planning takes longer than finding
AS $$
#variable_conflict use_column
DECLARE
    me CONSTANT integer := ims.current_user_id();
    wanted CONSTANT ims_private.search_filters := ims_private.read_filters(filters);
    any_owner CONSTANT boolean := ims.sees_everybody();
    everyone CONSTANT boolean := any_owner AND wanted.user_id IS NULL;
    whose CONSTANT integer := CASE WHEN any_owner THEN coalesce(wanted.user_id, me)
                                   WHEN wanted.user_id <> me THEN NULL ELSE me END;
    asked CONSTANT tsquery := ims.search_query(coalesce(query_text, ''));
    only_mine CONSTANT tsquery := quote_literal('owner ' || whose)::tsquery;
    sought CONSTANT tsquery := CASE WHEN NOT everyone THEN only_mine && asked
                                    WHEN numnode(asked) > 0 THEN asked
                                    ELSE !! only_mine || only_mine END;  -- everything, and still by the index
    family CONSTANT text := lower(coalesce(product_filter, ''));
    terms text[];       -- what may be an issue's number or key
    unwanted text[];    -- likewise, excluded
    hit record;         -- to show what was found
    exact tsquery[];    -- to rank by: each term that is not excluded, in each field
    near tsquery[];
    part tsquery[];
    other tsquery[];
BEGIN
    IF me IS NULL OR whose IS NULL OR asked IS NULL THEN
        RETURN;
    END IF;
    SELECT coalesce(array_agg(coalesce(number, term)) FILTER (WHERE sign <> '-')
                    || array_agg(upper(coalesce(number, term))) FILTER (WHERE sign <> '-'), '{}'),
           coalesce(array_agg(upper(coalesce(number, term))) FILTER (WHERE sign = '-'), '{}')
    INTO terms, unwanted
    FROM ims.query_clauses(query_text);
    SELECT array_agg(replace(query.exact, E'\u0001', field)::tsquery ORDER BY place, field),
           array_agg(replace(query.near, E'\u0001', field)::tsquery ORDER BY place, field),
           array_agg(replace(query.part, E'\u0001', field)::tsquery ORDER BY place, field),
           array_agg(replace(nullif(concat_ws(' | ', query.near, query.part), ''), E'\u0001', '')::tsquery ORDER BY place)
               FILTER (WHERE field = 'A')
    INTO exact, near, part, other
    FROM (SELECT min(place) AS place, coalesce(number, term) AS term, phrase
          FROM ims.query_clauses(query_text) WITH ORDINALITY AS clauses (sign, term, number, phrase, place)
          WHERE sign <> '-' GROUP BY 2, 3) AS clauses
    CROSS JOIN LATERAL ims.term_query(term, phrase) AS query
    CROSS JOIN unnest('{A,B,C,D}'::text[]) AS field
    WHERE query.exact IS NOT NULL;

    hit := ims.hit_pattern(query_text);
    RETURN QUERY
    WITH named AS (  -- by number or key, over each connection, for that is how the index is ordered
        SELECT issue.issue_pk
        FROM (SELECT user_id, tracker_id FROM ims.trackers WHERE everyone OR user_id = whose) AS connection
        JOIN ims.issues issue USING (user_id, tracker_id)
        WHERE issue.issue_id = ANY (terms)
        UNION ALL
        SELECT issue.issue_pk
        FROM (SELECT user_id FROM ims.users WHERE everyone OR user_id = whose) AS somebody
        JOIN ims.issues issue USING (user_id)
        WHERE issue.tracker_id IS NULL AND issue.issue_id = ANY (terms)
    ), hits AS (
        SELECT issue.issue_pk, issue.modified_date, NULL::real[] AS grades
        FROM ims.issues issue
        WHERE issue.issue_pk IN (SELECT named.issue_pk FROM named)
          AND (numnode(asked) = 0
               OR issue.search_vector || to_tsvector('simple', ims.spaced_text(issue.issue_id)) @@ asked)
          AND (everyone OR issue.user_id = whose) AND issue.removed_at IS NULL
          AND starts_with(lower(coalesce(issue.product, '')), family)
          AND upper(issue.issue_id) <> ALL (unwanted)
          AND (wanted.nothing OR ims_private.is_wanted(issue, wanted))
        UNION ALL
        -- Put together with nothing, a vector is fetched and unpacked once, not for each question about it.
        SELECT issue.issue_pk, issue.modified_date,
               CASE WHEN other IS NULL THEN '{}'
                    ELSE ims_private.grades(issue.search_vector || ''::tsvector, exact, near, part, other) END
        FROM ims.issues issue
        WHERE issue.search_vector @@ sought
          AND issue.issue_pk NOT IN (SELECT named.issue_pk FROM named)
          AND (everyone OR issue.user_id = whose) AND issue.removed_at IS NULL
          AND starts_with(lower(coalesce(issue.product, '')), family)
          AND upper(issue.issue_id) <> ALL (unwanted)
          AND (wanted.nothing OR ims_private.is_wanted(issue, wanted))
    ), rarity AS (  -- among the hits: a term that all of them have tells nothing
        SELECT array_agg(ln(1 + total / (1 + found)) ORDER BY place) AS terms
        FROM (
            SELECT place, count(*)::real AS total, count(*) FILTER (WHERE grade > 0)::real AS found
            FROM hits CROSS JOIN unnest(hits.grades) WITH ORDINALITY AS listed (grade, place)
            WHERE cardinality(other) > 1
            GROUP BY place
        ) AS counted
    ), scored AS (
        SELECT hits.issue_pk, hits.modified_date, coalesce((
            SELECT CASE WHEN bool_and(grade > 0) THEN 0.5 ELSE 0 END
                   + 0.4 * sum(grade * coalesce(rare, 1)) / sum(coalesce(rare, 1))
                   + 0.09 * coalesce(sum(rare) FILTER (WHERE grade > 0), 1) / sum(coalesce(rare, 1))
            FROM unnest(hits.grades, rarity.terms) AS listed (grade, rare)
        )::real, CASE WHEN hits.grades IS NULL THEN 2 ELSE 0 END) AS score
        FROM hits CROSS JOIN rarity
    ), best AS (
        SELECT * FROM scored
        ORDER BY scored.score DESC, scored.modified_date DESC NULLS LAST, scored.issue_pk DESC
        LIMIT least(greatest(coalesce(max_rows, 100), 0), 10000)
    )
    SELECT issue.issue_pk, issue.issue_id, issue.title, issue.description, issue.product, issue.status, best.score,
           ims_private.snippet(issue.issue_pk, issue.description, hit.whole, hit.loose)
    FROM best JOIN ims.issues issue USING (issue_pk)
    ORDER BY best.score DESC, best.modified_date DESC NULLS LAST, issue.issue_pk DESC;
END
$$;

ALTER FUNCTION ims.search_issues(text, text, integer, jsonb) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.search_issues(text, text, integer, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.search_issues(text, text, integer, jsonb) TO ims_app, ims_user, ims_readonly, ims_admin;

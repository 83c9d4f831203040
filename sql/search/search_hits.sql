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
--   found_in        where the query's words are, see ims_private.snippet
--
-- What files say has vectors of its own (ims.file_text_parts). Each term is looked up in both, and an issue is found where
-- all of its texts together have what is asked for; a word in a file counts for less than one in any field of the issue.
CREATE OR REPLACE FUNCTION ims.search_hits(
    query_text text, product_filter text DEFAULT NULL, max_rows integer DEFAULT 100, filters jsonb DEFAULT '{}'
) RETURNS TABLE (
    issue_pk bigint, issue_id text, title text, description text, product text, status text, rank real, snippet text,
    found_in text
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
    question CONSTANT record := ims.read_question(coalesce(query_text, ''), coalesce(wanted.fields, ''));
    asked CONSTANT tsquery := question.asked;
    fields CONSTANT text := coalesce(wanted.fields, 'ABCD');
    owners CONSTANT integer[] := CASE WHEN everyone THEN ARRAY(SELECT user_id FROM ims.users) ELSE ARRAY[whose] END;
    only_mine CONSTANT tsquery := quote_literal('owner ' || whose)::tsquery;
    sought CONSTANT tsquery := CASE WHEN NOT everyone THEN only_mine && asked
                                    WHEN numnode(asked) > 0 THEN asked
                                    ELSE !! only_mine || only_mine END;  -- everything, and still by the index
    loose CONSTANT tsquery := coalesce(CASE WHEN NOT everyone THEN only_mine && question.loose ELSE question.loose END, sought);
    told_by_index CONSTANT boolean := loose = sought;
    family CONSTANT text := lower(coalesce(product_filter, ''));
    any_product CONSTANT boolean := family = '';
    terms CONSTANT text[] := CASE WHEN wanted.fields IS NULL THEN question.named ELSE '{}' END;
    unwanted CONSTANT text[] := question.unwanted;
    any_number CONSTANT boolean := unwanted = '{}';
    weighed CONSTANT integer := coalesce(cardinality(question.exact), 0);  -- terms to rank by
    field text;
    exact tsquery[];    -- each of them, in each field
    near tsquery[];
    part tsquery[];
    any_near tsquery[];   -- likewise, in whichever field
    any_part tsquery[];
    elsewhere tsquery[];  -- likewise, in whichever field but the description
    anywhere tsquery[];   -- each of these terms, in whichever field is looked at
    required CONSTANT boolean[] := question.required;   -- whether an issue must have it
    in_files tsquery[];   -- each term, in what a file says
    excluded CONSTANT tsquery := question.excluded;     -- what an issue must not have, in its fields
    banned bigint[];      -- issues that have it in a file
    named bigint[];       -- issues whose number is asked for
    filed_issues bigint[];   -- issues of which a file has a term
    filed jsonb;             -- and the places of the terms, by issue
BEGIN
    IF me IS NULL OR whose IS NULL OR asked IS NULL THEN
        RETURN;
    END IF;
    FOR place IN 1 .. weighed LOOP
        FOREACH field IN ARRAY '{A,B,C,D}'::text[] LOOP
            field := CASE WHEN strpos(fields, field) > 0 THEN field END;
            exact := exact || replace(question.exact[place], E'\u0001', field)::tsquery;
            near := near || replace(question.near[place], E'\u0001', field)::tsquery;
            part := part || replace(question.part[place], E'\u0001', field)::tsquery;
        END LOOP;
        any_near := any_near || replace(question.near[place], E'\u0001', coalesce(wanted.fields, ''))::tsquery;
        any_part := any_part || replace(question.part[place], E'\u0001', coalesce(wanted.fields, ''))::tsquery;
        elsewhere := elsewhere || replace(concat_ws(' | ', question.exact[place], question.near[place], question.part[place]),
                                          E'\u0001', nullif(replace(fields, 'B', ''), ''))::tsquery;
    END LOOP;

    -- Said twice, so that one's own is asked of the index.
    IF wanted.in_files AND (everyone AND EXISTS (SELECT FROM ims.file_text_parts)
                            OR EXISTS (SELECT FROM ims.file_text_parts WHERE user_id = whose)) THEN
        SELECT array_agg(replace(words, E'\u0001', coalesce(wanted.fields, ''))::tsquery ORDER BY place),
               array_agg(CASE WHEN everyone THEN '' ELSE only_mine END && replace(words, E'\u0001', '')::tsquery ORDER BY place)
        INTO anywhere, in_files
        FROM unnest(question.exact, question.near, question.part) WITH ORDINALITY AS term (exact, near, part, place)
        CROSS JOIN concat_ws(' | ', term.exact, term.near, term.part) AS words;
        IF excluded IS NOT NULL THEN
            SELECT array_agg(DISTINCT file.issue_pk) INTO banned
            FROM ims_private.files_that_say(
                ARRAY[CASE WHEN everyone THEN '' ELSE only_mine END && excluded], CASE WHEN NOT everyone THEN whose END) AS file;
        END IF;
        SELECT array_agg(file.issue_pk), jsonb_object_agg(file.issue_pk, file.places) INTO filed_issues, filed
        FROM (
            SELECT file.issue_pk, array_agg(file.place) AS places
            FROM ims_private.files_that_say(in_files, CASE WHEN NOT everyone THEN whose END) AS file
            GROUP BY file.issue_pk
        ) AS file;
    END IF;

    -- By number or key, over each connection, for that is how the index is ordered.
    SELECT coalesce(array_agg(issue_pk), '{}') INTO named
    FROM (
        SELECT issue.issue_pk
        FROM ims.trackers connection
        JOIN ims.issues issue USING (user_id, tracker_id)
        WHERE connection.user_id = ANY (owners) AND issue.issue_id = ANY (terms)
        UNION ALL
        SELECT issue.issue_pk
        FROM ims.issues issue
        WHERE issue.user_id = ANY (owners) AND issue.tracker_id IS NULL AND issue.issue_id = ANY (terms)
    ) AS issue;

    RETURN QUERY
    WITH places AS MATERIALIZED (
        SELECT generate_series(1, weighed) AS place
    ), found AS (
        SELECT issue.issue_pk, issue.modified_date, issue.vector, issue.is_named, issue.places,
               issue.is_by_words OR issue.is_named OR true = ANY (required) AS is_said
        FROM (
            -- Weighed anew in no word, a vector is fetched and unpacked once, not for each question about it.
            SELECT issue.*, setweight(issue.search_vector, 'A', '{}') AS vector,
                   CASE WHEN filed IS NOT NULL THEN filed -> issue.issue_pk::text END AS places
            FROM (
                SELECT issue.*, true AS is_by_words, false AS is_named
                FROM ims.issues issue
                WHERE issue.search_vector @@ loose AND issue.issue_pk <> ALL (named) AND (everyone OR issue.user_id = whose)
                UNION ALL
                SELECT issue.*, false, issue.issue_pk = ANY (named)
                FROM ims.issues issue
                WHERE issue.issue_pk = ANY (named || filed_issues) AND (everyone OR issue.user_id = whose)
                OFFSET 0  -- what follows is asked here, not of both
            ) AS issue
            WHERE issue.removed_at IS NULL
              AND (any_product OR starts_with(lower(coalesce(issue.product, '')), family))
              AND (any_number OR upper(issue.issue_id) <> ALL (unwanted))
              AND (wanted.nothing OR ims_private.is_wanted(
                  issue.user_id, issue.issue_pk, issue.tracker_id, issue.status, issue.state, issue.registered_date,
                  issue.modified_date, issue.reporter, issue.owner, issue.priority, issue.module, wanted))
              AND (banned IS NULL OR issue.is_named OR issue.issue_pk <> ALL (banned))
            OFFSET 0
        ) AS issue
        WHERE CASE WHEN issue.is_by_words THEN told_by_index OR issue.vector @@ sought
                   WHEN issue.is_named THEN
                       numnode(asked) = 0 OR issue.vector || to_tsvector('simple', ims.spaced_text(issue.issue_id)) @@ asked
                   -- By what is in files: alone where nothing is required, since the fields would have been enough, else together.
                   ELSE NOT issue.vector @@ asked AND (excluded IS NULL OR NOT issue.vector @@ excluded) AND NOT EXISTS (
                       SELECT FROM unnest(required, anywhere) WITH ORDINALITY AS term (required, words, place)
                       WHERE term.required AND NOT issue.places @> to_jsonb(term.place) AND NOT issue.vector @@ term.words)
              END
    ), graded AS (
        SELECT found.issue_pk, found.modified_date, found.is_said, found.places,
               CASE WHEN NOT found.is_named THEN ARRAY(
                   SELECT CASE WHEN found.is_said THEN
                              ims_private.grade(found.vector, place, exact, near, part, any_near, any_part, elsewhere)
                          ELSE 0 END::double precision
                   FROM places)
               END AS grades
        FROM found
        OFFSET 0  -- not worked out for each time that it is named
    ), hits AS (
        SELECT graded.issue_pk, graded.modified_date, graded.is_said, graded.places IS NOT NULL AS is_filed,
               CASE WHEN graded.places IS NULL OR graded.grades IS NULL THEN graded.grades
                    ELSE ARRAY(SELECT CASE WHEN graded.places @> to_jsonb(place) THEN 1 - (1 - grade::real) * 0.95 ELSE grade END
                               FROM unnest(graded.grades) WITH ORDINALITY AS listed (grade, place) ORDER BY place)
               END AS grades
        FROM graded
    ), rarity AS (  -- among the hits: a term that all of them have tells nothing
        SELECT array_agg(ln(1 + total / (1 + found)) ORDER BY place) AS terms
        FROM (
            SELECT place, count(*)::real AS total, count(*) FILTER (WHERE grade > 0)::real AS found
            FROM hits CROSS JOIN unnest(hits.grades) WITH ORDINALITY AS listed (grade, place)
            GROUP BY place
        ) AS counted
    ), scored AS (
        -- The same for a single term, which need not be added up.
        SELECT hits.issue_pk, hits.modified_date, hits.is_said, hits.is_filed, coalesce(CASE WHEN cardinality(hits.grades) = 1 THEN
            CASE WHEN hits.grades[1] > 0 THEN 0.5::double precision ELSE 0 END + 0.4 * hits.grades[1] + 0.09::double precision
        ELSE (
            SELECT CASE WHEN bool_and(grade > 0) THEN 0.5 ELSE 0 END
                   + 0.4 * sum(grade * coalesce(rare, 1)) / sum(coalesce(rare, 1))
                   + 0.09 * coalesce(sum(rare) FILTER (WHERE grade > 0), 1) / sum(coalesce(rare, 1))
            FROM unnest(hits.grades, (SELECT rarity.terms FROM rarity)) AS listed (grade, rare)
        ) END::real, CASE WHEN hits.grades IS NULL THEN 2 ELSE 0 END) AS score
        FROM hits
    ), best AS (
        SELECT * FROM scored
        ORDER BY scored.score DESC, scored.modified_date DESC NULLS LAST, scored.issue_pk DESC
        LIMIT least(greatest(coalesce(max_rows, 100), 0), 10000)
    ), pattern AS MATERIALIZED (
        SELECT * FROM ims.hit_pattern(question.terms, question.phrases)
    )
    SELECT hit.issue_pk, hit.issue_id, hit.title, hit.description, hit.product, hit.status, hit.score,
           (hit.shown).snippet, (hit.shown).found_in
    FROM (
        SELECT issue.issue_pk, issue.issue_id, issue.title, issue.description, issue.product, issue.status, best.score, best.modified_date,
               ims_private.snippet(issue.user_id, issue.issue_pk, issue.title, issue.description,
                                   CASE WHEN best.is_said THEN fields ELSE 'D' END,
                                   CASE WHEN best.is_filed THEN in_files END, pattern.whole, pattern.loose) AS shown
        FROM best
        JOIN ims.issues issue USING (issue_pk)
        CROSS JOIN pattern
        OFFSET 0
    ) AS hit
    ORDER BY hit.score DESC, hit.modified_date DESC NULLS LAST, hit.issue_pk DESC;
END
$$;

ALTER FUNCTION ims.search_hits(text, text, integer, jsonb) OWNER TO ims_searcher;
REVOKE ALL ON FUNCTION ims.search_hits(text, text, integer, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims.search_hits(text, text, integer, jsonb) TO ims_app, ims_user, ims_readonly, ims_admin;

-- How well an issue answers a term of a question: 0 not at all, towards 1 the better. A field counts twice as much as the
-- next lower one. Put into its caller's query, for it is asked of every hit: most have a term in the description alone, and
-- forms and parts of words, which most have not, are asked for once before they are in each field.
--
--   term                          its place in the question, from 1
--   exact, near, part             for each term and each of the weights A to D in turn, the query of ims.term_query, or NULL
--   any_near, any_part            for each term, near and part in any field
--   elsewhere                     for each term, all three in any field but B, or NULL
DROP FUNCTION IF EXISTS ims_private.grades(tsvector, tsquery[], tsquery[], tsquery[], tsquery[]);
DROP FUNCTION IF EXISTS ims_private.grade(tsvector, integer, tsquery[], tsquery[], tsquery[], tsquery[], tsquery[]);
CREATE OR REPLACE FUNCTION ims_private.grade(
    vector tsvector, term integer, exact tsquery[], near tsquery[], part tsquery[], any_near tsquery[], any_part tsquery[],
    elsewhere tsquery[]
) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT (1 - (CASE
    WHEN (vector @@ elsewhere[term]) IS NOT TRUE THEN
        ims_private.misses(vector, 0.4, exact[term * 4 - 2], near[term * 4 - 2], part[term * 4 - 2])::real
    WHEN vector @@ any_part[term] THEN
        ((ims_private.misses(vector, 0.8, exact[term * 4 - 3], near[term * 4 - 3], part[term * 4 - 3])::real
        * ims_private.misses(vector, 0.4, exact[term * 4 - 2], near[term * 4 - 2], part[term * 4 - 2]))::real
        * ims_private.misses(vector, 0.2, exact[term * 4 - 1], near[term * 4 - 1], part[term * 4 - 1]))::real
        * ims_private.misses(vector, 0.1, exact[term * 4], near[term * 4], part[term * 4])
    WHEN vector @@ any_near[term] THEN
        ((ims_private.misses(vector, 0.8, exact[term * 4 - 3], near[term * 4 - 3], NULL)::real
        * ims_private.misses(vector, 0.4, exact[term * 4 - 2], near[term * 4 - 2], NULL))::real
        * ims_private.misses(vector, 0.2, exact[term * 4 - 1], near[term * 4 - 1], NULL))::real
        * ims_private.misses(vector, 0.1, exact[term * 4], near[term * 4], NULL)
    ELSE
        ((ims_private.misses(vector, 0.8, exact[term * 4 - 3], NULL, NULL)::real
        * ims_private.misses(vector, 0.4, exact[term * 4 - 2], NULL, NULL))::real
        * ims_private.misses(vector, 0.2, exact[term * 4 - 1], NULL, NULL))::real
        * ims_private.misses(vector, 0.1, exact[term * 4], NULL, NULL)
    END)::real)::real
$$;

REVOKE ALL ON FUNCTION ims_private.grade(tsvector, integer, tsquery[], tsquery[], tsquery[], tsquery[], tsquery[], tsquery[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ims_private.grade(tsvector, integer, tsquery[], tsquery[], tsquery[], tsquery[], tsquery[], tsquery[])
    TO ims_searcher;

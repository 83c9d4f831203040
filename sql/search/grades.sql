-- How well an issue answers each term of a question: 0 not at all, towards 1 the better. A field counts twice as much as
-- the next lower one; a word as written more than another form of it, and that more than a part of a word.
--
--   exact, near, part  for each term and each of the weights A to D in turn, the query of ims.term_query, or NULL
--   other              for each term, near or part in any field: what most issues have not, and is asked for once
CREATE OR REPLACE FUNCTION ims_private.grades(
    vector tsvector, exact tsquery[], near tsquery[], part tsquery[], other tsquery[]
) RETURNS real[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    grades real[] := '{}';
    misses real;
    worth real;
    further boolean;
BEGIN
    FOR term IN 1 .. cardinality(other) LOOP
        misses := 1;
        worth := 0.8;
        further := coalesce(vector @@ other[term], false);
        FOR field IN term * 4 - 3 .. term * 4 LOOP
            IF vector @@ exact[field] THEN
                misses := misses * (1 - worth);
            ELSIF NOT further THEN
                NULL;
            ELSIF vector @@ near[field] THEN
                misses := misses * (1 - worth * 0.9);
            ELSIF vector @@ part[field] THEN
                misses := misses * (1 - worth * 0.45);
            END IF;
            worth := worth / 2;
        END LOOP;
        grades := grades || 1 - misses;
    END LOOP;
    RETURN grades;
END
$$;

GRANT EXECUTE ON FUNCTION ims_private.grades(tsvector, tsquery[], tsquery[], tsquery[], tsquery[]) TO ims_searcher;

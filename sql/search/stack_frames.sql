-- The uppermost frames of the stacks in a text, each with a mark ǃ: the last two parts of the name of what was called, without
-- lines, addresses and numbers of inner classes, which change from one version to the next. Of Java, .NET, JavaScript,
-- Python, gdb and glibc. A character 1 parts fields, in the text and in the answer; NULL where there is no stack.
CREATE OR REPLACE FUNCTION ims.stack_frames(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    uppermost CONSTANT integer := 8;  -- frames of a stack
    most CONSTANT integer := 100;  -- of a field
BEGIN
    -- The first is looked for in two thirds of the time, and tells of most texts that there is none.
    IF document !~ '\n[ \t>]*(?:at |#|File ")|\+0x'
       OR document !~ '\n[ \t>]*(?:at [A-Za-z_<]|#\d+ |File "|\w+\+0x|\S+\(\w+\+0x)' THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT string_agg(CASE WHEN line = E'\u0001' THEN line
                               ELSE ' ǃ' || lower(regexp_replace(name, '(?:\$\d+|[^0-9A-Za-z])+', 'ǃ', 'g')) END, '' ORDER BY place)
        FROM (
            SELECT *, row_number() OVER (PARTITION BY field, name IS NULL ORDER BY place) AS nth,
                   row_number() OVER (PARTITION BY field, stack ORDER BY place) AS depth
            FROM (
                SELECT *, count(*) FILTER (WHERE line = E'\u0001') OVER (ORDER BY place) AS field,
                       place - row_number() OVER (ORDER BY place) AS stack  -- lines one after the other
                FROM string_to_table(document, E'\n') WITH ORDINALITY AS lines (line, place)
                LEFT JOIN LATERAL (
                    SELECT regexp_replace(coalesce(part[1], part[2], part[3] || '.' || part[4], part[5], part[6], part[7]),
                                          '^.*[.:/]([^.:/]+[.:]+[^.:/]+)$', '\1') AS name
                    FROM regexp_match(
                        CASE WHEN line LIKE '%(%' OR line LIKE '%#%' OR line LIKE '%+0x%' OR line LIKE '%, in %' THEN left(line, 500) END,
                        '^[ \t>]*at (?:async |new )?([\w$<>\[\]/@]+\.[\w.$<>\[\]/@]+) ?\('
                        '|^[ \t>]*at (?:async |new )?([\w$<>]+) \([^)]*:\d'
                        '|^[ \t>]*File "(?:[^"]*[/\\])?([^"/\\]+?)(?:\.py)?", line \d+, in ([\w<>]+)'
                        '|^[ \t>]*#\d+:? +(?:0x[0-9a-fA-F]+ )?(?:in )?([A-Za-z_][\w:.~]*)(?:<[^(]*>)? ?\('
                        '|^[ \t>]*(?:\[?(?:0x)?[0-9a-fA-F]+\]? )?([A-Za-z_]\w+)\+0x[0-9a-fA-F]+'
                        '|^[ \t>]*\S+\(([A-Za-z_]\w+)\+0x[0-9a-fA-F]+\)') AS part
                ) AS frame ON name IS NOT NULL
                WHERE line = E'\u0001' OR name IS NOT NULL
            ) AS stacked
        ) AS counted
        WHERE line = E'\u0001' OR depth <= uppermost AND nth <= most
    );
END
$$;

GRANT EXECUTE ON FUNCTION ims.stack_frames(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;

-- Take a query in the direct syntax apart, as crawler/query/direct.py does: a space is OR, +word required, -word
-- excluded, quotes make a phrase, a bare number (#348115, IMS-348115) is an issue number, a minus before a digit belongs
-- to an error code and two of anything are no sign, * and = ask for nothing in particular. What is an error there, such
-- as a quote that nothing closes, is passed over here: a question never raises. Of a list of words that is no question any
-- more the first hundred count, and nothing beyond 10,000 characters is read: what it costs is bounded. Put into its caller's
-- query.
CREATE OR REPLACE FUNCTION ims.query_clauses(query_text text)
RETURNS TABLE (sign text, term text, number text, phrase boolean, place bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT translate(part[1], '＋－−', '+--'),
       left(coalesce(quoted, part[11]), 1000),
       translate((regexp_match(part[11], '^[,;:!?([{<]*(?:[#＃]|IMS-[#＃]?)?([0-9０-９]{1,18})[,;:!?.)\]}>]*$', 'i'))[1],
                 '０１２３４５６７８９', '0123456789'),
       quoted IS NOT NULL, place
FROM (
    SELECT part, place, coalesce(part[2], part[3], part[4], part[5], part[6], part[7], part[8], part[9], part[10]) AS quoted
    FROM regexp_matches(
        regexp_replace(left(query_text, 10000), '[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]', '', 'g'),
        $re$(?x)( [+＋](?![+＋\s、。，！？；：…､｡]|$)
        | [-－−](?![-－−0-9０-９\s、。，！？；：…､｡]|X[a-zA-Z]+[0-9:]|X[A-Z]:|D[\w.]+=|$)
        | )
        (?: '((?:[^']|(?<=[a-zA-Z0-9\u00c0-\u058f])'(?=[a-zA-Z0-9\u00c0-\u058f]))*)'(?![a-zA-Z0-9\u00c0-\u058f])
          | "([^"]*)" | “([^”]*)” | 「([^」]*)」 | 『([^』]*)』 | «([^»]*)» | ‘([^’]*)’ | ＂([^＂]*)＂ | ＇([^＇]*)＇
          | ((?:[^\s、。，！？；：…､｡"“「『«'‘＂＇] | (?<=[^\s、。，！？；：…､｡([{<=:,;/|+＋\-－−])['‘＇])+) )$re$,
        'g') WITH ORDINALITY AS found (part, place)
) AS lexemes
WHERE coalesce(quoted, part[11]) !~ '^[*=\s]*$'
LIMIT 100
$$;

GRANT EXECUTE ON FUNCTION ims.query_clauses(text) TO ims_app, ims_user, ims_readonly, ims_admin, ims_searcher;
